#include "http/chunked.h"

#include "base/check.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

namespace imprimatur::http {

namespace beast = boost::beast;

struct ChunkedDecoder::Parser {
  beast::http::request_parser<beast::http::string_body> beast;
};

// The request's own head was read strictly already; Beast is given one of which nothing can be misunderstood.
ChunkedDecoder::ChunkedDecoder(std::size_t body_limit) : parser_(std::make_unique<Parser>()) {
  constexpr std::string_view kHead = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
  parser_->beast.body_limit(body_limit);
  beast::error_code error;
  const std::size_t used = parser_->beast.put(boost::asio::buffer(kHead), error);
  CHECK(!error && used == kHead.size() && parser_->beast.is_header_done());
  parser_->beast.eager(true);
}

ChunkedDecoder::~ChunkedDecoder() = default;

ChunkedDecoder::State ChunkedDecoder::put(std::string_view& bytes) {
  while (!bytes.empty() && !parser_->beast.is_done()) {
    beast::error_code error;
    const std::size_t used = parser_->beast.put(boost::asio::buffer(bytes), error);
    bytes.remove_prefix(used);
    if (error == beast::http::error::need_more) return State::more;
    if (error == beast::http::error::body_limit) return State::too_large;
    if (error) return State::malformed;
    if (used == 0) return State::more;
  }
  return parser_->beast.is_done() ? State::done : State::more;
}

std::size_t ChunkedDecoder::size() const { return parser_->beast.get().body().size(); }

std::string ChunkedDecoder::take() {
  CHECK(parser_->beast.is_done());
  return std::move(parser_->beast.get().body());
}

}  // namespace imprimatur::http
