// The HTTP/1.1 server: sockets to handlers and back. Every limit has a name here.
#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "http/fast_path.h"
#include "http/head.h"
#include "http/metrics.h"
#include "http/router.h"

#include <cstdint>
#include <memory>
#include <string>

namespace imprimatur::http {

struct ServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 8080;  // 0: any free one; see Server::port()
  std::size_t threads = 1;    // I/O threads, each with its own acceptor
  std::size_t worker_threads = 8;
  std::size_t worker_queue = 1024;  // requests waiting for a worker; beyond it 503
  std::string certificate_file;     // PEM chain; empty: plain HTTP
  std::string key_file;

  HeadLimits head;
  std::size_t body_bytes = 2 * 1024 * 1024;             // where the route says nothing else
  std::size_t buffered_body_bytes = 256 * 1024 * 1024;  // of a thread, not handled yet; beyond it 503
  // Of a thread, not read by their clients yet. Beyond it a long answer to GET is a 503, and a connection
  // whose next part cannot be kept is closed.
  std::size_t buffered_answer_bytes = 256 * 1024 * 1024;
  std::size_t connections = 10'000;  // of all threads
  std::size_t connections_per_thread = 10'000;
  std::size_t pipelined_requests = 64;    // answers gathered into one write
  std::size_t linger_bytes = 256 * 1024;  // read and thrown away behind a refusal

  Duration idle_time = seconds(75);       // between requests
  Duration head_time = seconds(10);       // from a request's first byte to its blank line
  Duration body_time = seconds(60);       // from there to its last byte
  Duration write_time = seconds(30);      // for the client to take one write
  Duration handshake_time = seconds(10);  // TLS
  Duration linger_time = seconds(2);
  Duration drain_time = seconds(10);            // after stop(), for what was accepted
  Duration sweep_interval = milliseconds(100);  // how late a deadline and the thread's clock may be

  bool access_log = true;  // one line a request, but for routes that are only counted
};

class Server {
 public:
  // `router`, `metrics` (made with options.threads) and what they refer to must outlive the server.
  Server(ServerOptions options, const Router& router, Metrics& metrics, FastPathFactory fast_path = {});
  // Stops.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Listens when it returns. Fails on an address that cannot be bound and on certificates that do not load.
  Status start();
  // Precondition: started.
  std::uint16_t port() const;
  // Accepts no more, finishes the requests that were accepted, closes, joins. Forces what is left after
  // drain_time. Running handlers are waited for. Not from one of the server's own threads.
  void stop();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace imprimatur::http
