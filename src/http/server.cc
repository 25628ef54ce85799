#include "http/server.h"

#include "base/check.h"
#include "http/io_thread.h"

#include <thread>
#include <vector>

#include <boost/asio/ssl/context.hpp>

namespace imprimatur::http {
namespace {

Status load_certificates(asio::ssl::context& tls, const ServerOptions& options) {
  boost::system::error_code error;
  const auto failed = [&](const std::string& file) {
    return invalid("cannot use " + file + " for TLS: " + error.message());
  };
  tls.set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_compression);
  SSL_CTX_set_min_proto_version(tls.native_handle(), TLS1_2_VERSION);
  SSL_CTX_set_mode(tls.native_handle(), SSL_MODE_RELEASE_BUFFERS);
  tls.use_certificate_chain_file(options.certificate_file, error);
  if (error) return failed(options.certificate_file);
  tls.use_private_key_file(options.key_file, asio::ssl::context::pem, error);
  if (error) return failed(options.key_file);
  return Ok{};
}

// The threads share a port, which lets another server of the same user share it too, and take half of the
// requests.
Status require_free(const Tcp::endpoint& endpoint) {
  asio::io_context context;
  Acceptor probe(context);
  boost::system::error_code error;
  probe.open(endpoint.protocol(), error);
  if (!error) probe.set_option(Acceptor::reuse_address(true), error);
  if (!error) probe.bind(endpoint, error);
  if (!error) return Ok{};
  return unavailable("cannot bind " + endpoint.address().to_string() + " port " +
                     std::to_string(endpoint.port()) + ": " + error.message());
}

}  // namespace

struct Server::Parts {
  Parts(ServerOptions options, const Router& router, Metrics& metrics, FastPathFactory fast_path)
      : context{std::move(options), router, metrics, std::move(fast_path), std::nullopt, 0, std::nullopt} {}

  ServerContext context;
  std::vector<std::unique_ptr<IoThread>> io;
  std::vector<std::thread> threads;
};

Server::Server(ServerOptions options, const Router& router, Metrics& metrics, FastPathFactory fast_path)
    : parts_(std::make_unique<Parts>(std::move(options), router, metrics, std::move(fast_path))) {}

Server::~Server() { stop(); }

Status Server::start() {
  ServerContext& context = parts_->context;
  CHECK(parts_->threads.empty(), "started twice");
  CHECK(context.options.threads > 0 && context.options.worker_threads > 0);
  CHECK(context.options.head.fields <= Head::kMaxFields);
  boost::system::error_code error;
  const auto address = asio::ip::make_address(context.options.address, error);
  if (error) return invalid("'" + context.options.address + "' is not an IP address to listen on");
  if (!context.options.certificate_file.empty()) {
    context.tls.emplace(asio::ssl::context::tls_server);
    TRY(load_certificates(*context.tls, context.options));
  }
  std::uint16_t port = context.options.port;
  if (context.options.threads > 1) TRY(require_free({address, port}));
  for (std::size_t i = 0; i < context.options.threads; ++i) {
    auto io = std::make_unique<IoThread>(context, i);
    TRY(io->listen({address, port}));
    port = io->port();
    parts_->io.push_back(std::move(io));
  }
  context.options.port = port;
  context.workers.emplace(context.options.worker_threads, context.options.worker_queue);
  for (auto& io : parts_->io) parts_->threads.emplace_back([&io = *io] { io.run(); });
  return Ok{};
}

std::uint16_t Server::port() const { return parts_->context.options.port; }

void Server::stop() {
  if (parts_->threads.empty()) return;
  for (auto& io : parts_->io) io->drain();
  for (std::thread& thread : parts_->threads) thread.join();
  parts_->threads.clear();
  parts_->context.workers.reset();  // before the threads' mailboxes, into which jobs answer
  parts_->io.clear();
}

}  // namespace imprimatur::http
