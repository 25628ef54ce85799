// One I/O thread: its io_context, acceptor, connections, clock and scratch memory. Everything but `post` and
// `drain` belongs to the thread itself. Included by this directory's own sources only.
#pragma once

#include "base/sync.h"
#include "http/budget.h"
#include "http/server.h"
#include "http/worker_pool.h"

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/intrusive/list.hpp>

namespace imprimatur::http {

namespace asio = boost::asio;
using Tcp = asio::ip::tcp;
using Executor = asio::io_context::executor_type;
using Socket = asio::basic_stream_socket<Tcp, Executor>;
using Acceptor = asio::basic_socket_acceptor<Tcp, Executor>;
template <class T>
using Task = asio::awaitable<T, Executor>;
inline constexpr asio::use_awaitable_t<Executor> kAwait;

// What the threads of one server share. Written at accept and close only.
struct ServerContext {
  ServerOptions options;
  const Router& router;
  Metrics& metrics;
  FastPathFactory fast_path;
  std::optional<asio::ssl::context> tls;
  std::atomic<std::size_t> connections{0};
  std::optional<WorkerPool> workers;
};

using ListHook = boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

class OpenConnection : public ListHook {
 public:
  virtual ~OpenConnection() = default;
  // Ends whatever the connection waits for by closing its socket.
  virtual void abort() = 0;
  // Ends a wait for the next request, if that is what the connection waits for.
  virtual void interrupt_idle() = 0;
  // Ends a wait for bytes with a read, which finds the end of a stream that no event told.
  virtual void look_again() = 0;
  std::int64_t deadline_ms = 0;         // against IoThread::now_ms
  std::int64_t look_at_ms = INT64_MAX;  // the same
};

// Answers that wait for one write: `small` copied, then at most one `large` referenced.
struct Output {
  std::string small;
  std::string_view large;
  std::shared_ptr<const void> (*hold)(const void* held) = nullptr;  // see FastAnswer
  const void* held = nullptr;
  bool empty() const { return small.empty() && large.empty(); }
  void clear();
};

class IoThread {
 public:
  IoThread(ServerContext& server, std::size_t index);
  ~IoThread();
  Status listen(const Tcp::endpoint& endpoint);
  std::uint16_t port() const;
  void run();

  // Safe from any thread.
  void post(std::function<void()> work);
  void drain();

  // For connections.
  ServerContext& server;
  ThreadMetrics& metrics;
  FastPath fast_path;
  // Of the connection that scanned last; gone with its first suspension.
  Head head;
  std::uint64_t scans = 0;
  Output output;
  std::int64_t now_ms = 0;
  Time now;
  std::string date_line;  // "Date: …\r\n"
  Budget bodies, answers;
  bool draining = false;

  std::int64_t deadline(Duration from_now) const { return now_ms + from_now.micros / 1000; }
  // Unique in this process and hard to guess; valid until the next call.
  std::string_view new_request_id();
  void add(OpenConnection& connection) { connections_.push_back(connection); }
  // After the connection has left the list.
  void connection_closed();
  asio::io_context& context() { return context_; }

 private:
  Task<void> accept_loop();
  Task<void> mailbox_loop();
  Task<void> sweep_loop();
  void admit(Socket socket);
  void begin_drain();
  void tick();
  void finish_if_drained();

  const std::size_t index_;
  boost::intrusive::list<OpenConnection, boost::intrusive::constant_time_size<false>> connections_;
  std::size_t connection_count_ = 0;
  std::string request_id_;
  std::int64_t drain_deadline_ms_ = 0;
  std::time_t date_second_ = -1;
  Sync<std::vector<std::function<void()>>> mail_;
  // No locks inside: other threads reach this one through the mailbox only.
  asio::io_context context_{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE};
  asio::posix::basic_stream_descriptor<Executor> mail_event_{context_};
  Acceptor acceptor_{context_};
};

// Takes over an accepted socket.
void start_connection(IoThread& thread, Socket socket);

}  // namespace imprimatur::http
