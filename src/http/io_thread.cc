#include "http/io_thread.h"

#include "base/check.h"
#include "base/hash.h"
#include "http/problem.h"
#include "http/response_writer.h"

#include <chrono>
#include <ctime>
#include <sys/eventfd.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>

namespace imprimatur::http {
namespace {

using boost::system::error_code;
using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>, Executor>;
using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

constexpr std::string_view kIdDigits = "0123456789abcdefghjkmnpqrstvwxyz";
constexpr std::size_t kIdSize = 24;
constexpr std::size_t kIdCounterFrom = 12;  // the digits before it are random and stay

}  // namespace

void Output::clear() {
  small.clear();
  large = {};
  hold = nullptr;
}

IoThread::IoThread(ServerContext& context, std::size_t index)
    : server(context),
      metrics(context.metrics.thread(index)),
      bodies{context.options.buffered_body_bytes},
      answers{context.options.buffered_answer_bytes},
      index_(index) {
  for (const char c : random_bytes(kIdSize))
    request_id_.push_back(kIdDigits[static_cast<unsigned char>(c) & 31]);
  const int event = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  CHECK(event >= 0, "eventfd");
  mail_event_.assign(event);
}

IoThread::~IoThread() = default;

Status IoThread::listen(const Tcp::endpoint& endpoint) {
  const auto failed = [&](const char* what, const error_code& error) {
    return unavailable(std::string("cannot ") + what + " " + endpoint.address().to_string() + " port " +
                       std::to_string(endpoint.port()) + ": " + error.message());
  };
  error_code error;
  acceptor_.open(endpoint.protocol(), error);
  if (error) return failed("open a socket for", error);
  acceptor_.set_option(Acceptor::reuse_address(true), error);
  if (!error && server.options.threads > 1) acceptor_.set_option(ReusePort(true), error);
  if (error) return failed("share", error);
  acceptor_.bind(endpoint, error);
  if (error) return failed("bind", error);
  acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (error) return failed("listen on", error);
  return Ok{};
}

std::uint16_t IoThread::port() const { return acceptor_.local_endpoint().port(); }

void IoThread::run() {
  if (server.fast_path) fast_path = server.fast_path(index_);
  tick();
  asio::co_spawn(context_, mailbox_loop(), asio::detached);
  asio::co_spawn(context_, sweep_loop(), asio::detached);
  asio::co_spawn(context_, accept_loop(), asio::detached);
  context_.run();
  fast_path = nullptr;
}

void IoThread::post(std::function<void()> work) {
  bool first = false;
  {
    auto mail = mail_.lock();
    first = mail->empty();
    mail->push_back(std::move(work));
  }
  if (!first) return;
  const std::uint64_t one = 1;
  CHECK(::write(mail_event_.native_handle(), &one, sizeof one) == sizeof one, "eventfd");
}

void IoThread::drain() {
  post([this] { begin_drain(); });
}

Task<void> IoThread::mailbox_loop() {
  std::uint64_t count = 0;
  for (;;) {
    error_code error;
    co_await mail_event_.async_read_some(asio::buffer(&count, sizeof count),
                                         asio::redirect_error(kAwait, error));
    if (error) co_return;
    std::vector<std::function<void()>> mail;
    std::swap(mail, *mail_.lock());
    for (const auto& work : mail) work();
  }
}

Task<void> IoThread::sweep_loop() {
  Timer timer(context_);
  for (;;) {
    timer.expires_after(std::chrono::microseconds(server.options.sweep_interval.micros));
    error_code error;
    co_await timer.async_wait(asio::redirect_error(kAwait, error));
    if (error) co_return;
    tick();
    const bool forced = draining && now_ms >= drain_deadline_ms_;
    if (forced) drain_deadline_ms_ = INT64_MAX;
    for (OpenConnection& connection : connections_) {
      if (connection.look_at_ms <= now_ms) {
        connection.look_at_ms = INT64_MAX;
        connection.look_again();
      }
      if (connection.deadline_ms > now_ms && !forced) continue;
      connection.deadline_ms = INT64_MAX;
      metrics.timed_out.add();
      connection.abort();
    }
    finish_if_drained();
  }
}

void IoThread::tick() {
  using namespace std::chrono;
  now_ms = duration_cast<std::chrono::milliseconds>(steady_clock::now().time_since_epoch()).count();
  now = SystemClock().now();
  const auto second = static_cast<std::time_t>(now.micros / 1'000'000);
  if (second == date_second_) return;
  date_second_ = second;
  std::tm parts{};
  ::gmtime_r(&second, &parts);
  std::array<char, 48> text;
  constexpr std::array<const char*, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array<const char*, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const int size = std::snprintf(text.data(), text.size(), "Date: %s, %02d %s %04d %02d:%02d:%02d GMT\r\n",
                                 kDays[static_cast<std::size_t>(parts.tm_wday)], parts.tm_mday,
                                 kMonths[static_cast<std::size_t>(parts.tm_mon)], parts.tm_year + 1900,
                                 parts.tm_hour, parts.tm_min, parts.tm_sec);
  date_line.assign(text.data(), static_cast<std::size_t>(size));
}

Task<void> IoThread::accept_loop() {
  constexpr auto kBackOff = std::chrono::milliseconds(50);  // out of descriptors: waiting beats spinning
  while (!draining) {
    Socket socket(context_);
    error_code error;
    co_await acceptor_.async_accept(socket, asio::redirect_error(kAwait, error));
    if (draining || error == asio::error::operation_aborted) co_return;
    if (!error) {
      admit(std::move(socket));
    } else if (error != asio::error::connection_aborted) {
      Timer timer(context_, kBackOff);
      co_await timer.async_wait(asio::redirect_error(kAwait, error));
    }
  }
}

void IoThread::admit(Socket socket) {
  error_code ignored;
  socket.non_blocking(true, ignored);
  const bool full = server.connections.load(std::memory_order_relaxed) >= server.options.connections ||
                    connection_count_ >= server.options.connections_per_thread;
  if (full) {
    metrics.connections_turned_away.add();
    if (!server.tls) {
      const std::string_view id = new_request_id();
      Response answer = problem(unavailable("the server has as many connections as it takes"), "", id);
      const std::string bytes = head_of(answer, {.id = id, .date_line = date_line, .close = true});
      socket.write_some(std::array{asio::buffer(bytes), asio::buffer(bytes_of(answer))}, ignored);
      socket.shutdown(Socket::shutdown_both, ignored);
    }
    return;
  }
  socket.set_option(Tcp::no_delay(true), ignored);
  server.connections.fetch_add(1, std::memory_order_relaxed);
  ++connection_count_;
  metrics.connections_opened.add();
  start_connection(*this, std::move(socket));
}

void IoThread::connection_closed() {
  server.connections.fetch_sub(1, std::memory_order_relaxed);
  --connection_count_;
  metrics.connections_closed.add();
  finish_if_drained();
}

void IoThread::begin_drain() {
  if (draining) return;
  // What the kernel accepted for us may hold requests already.
  error_code error;
  acceptor_.non_blocking(true, error);
  while (!error) {
    Socket socket(context_);
    acceptor_.accept(socket, error);
    if (!error) admit(std::move(socket));
  }
  draining = true;
  drain_deadline_ms_ = deadline(server.options.drain_time);
  acceptor_.close(error);
  for (OpenConnection& connection : connections_) connection.interrupt_idle();
  finish_if_drained();
}

void IoThread::finish_if_drained() {
  if (draining && connection_count_ == 0) context_.stop();
}

std::string_view IoThread::new_request_id() {
  for (std::size_t i = kIdSize; i-- > kIdCounterFrom;) {
    const char digit = request_id_[i];
    if (digit != kIdDigits.back()) {
      request_id_[i] = kIdDigits[kIdDigits.find(digit) + 1];
      break;
    }
    request_id_[i] = kIdDigits.front();
  }
  return request_id_;
}

}  // namespace imprimatur::http
