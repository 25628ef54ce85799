// The chunked transfer coding (RFC 9112 section 7.1), read by Beast. Trailers are read and dropped.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace imprimatur::http {

class ChunkedDecoder {
 public:
  explicit ChunkedDecoder(std::size_t body_limit);
  ~ChunkedDecoder();
  ChunkedDecoder(const ChunkedDecoder&) = delete;
  ChunkedDecoder& operator=(const ChunkedDecoder&) = delete;

  enum class State { more, done, malformed, too_large };
  // Consumes from the front of `bytes`; what is left must be given again with more behind it.
  State put(std::string_view& bytes);
  std::size_t size() const;
  // Precondition: done.
  std::string take();

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

}  // namespace imprimatur::http
