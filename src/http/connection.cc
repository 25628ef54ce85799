// One connection from its first byte to its last: read, answer what is ready at once and together, hand the
// rest to the workers, write.
#include "base/check.h"
#include "http/chunked.h"
#include "http/dispatch.h"
#include "http/io_thread.h"
#include "http/problem.h"
#include "http/ready_socket.h"
#include "http/receive_buffer.h"
#include "http/response_writer.h"

#include <charconv>
#include <type_traits>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

namespace imprimatur::http {
namespace {

using boost::system::error_code;
using TlsStream = asio::ssl::stream<Socket>;

constexpr std::size_t kBodyStep =
    64 * 1024;  // a body's memory grows with what arrives, not with what is announced
constexpr std::size_t kCopiedAnswer =
    8 * 1024;  // smaller ready answers are copied beside each other into one write
constexpr std::size_t kSmallAnswer = 16 * 1024;   // is sent whatever others hold
constexpr std::size_t kOutputTarget = 64 * 1024;  // gathered answers beyond this are written first

// The line before a chunk of RFC 9112 section 7.1; of size 0: the last one.
std::string chunk_head(std::size_t size) {
  std::array<char, 20> digits;
  const auto [end, ec] = std::to_chars(digits.begin(), digits.end(), size, 16);
  return std::string(digits.begin(), end) + "\r\n";
}

enum class Next { read, write, handle, refuse, close };

template <class Stream>
class Connection final : public OpenConnection {
 public:
  static constexpr bool kTls = std::is_same_v<Stream, TlsStream>;

  template <class... Args>
  Connection(IoThread& thread, Args&&... args)
      : thread_(thread),
        options_(thread.server.options),
        stream_(std::forward<Args>(args)...),
        buffer_(options_.head.head_bytes + 1) {
    thread_.add(*this);
  }

  ~Connection() override {
    unlink();
    thread_.connection_closed();
  }

  // With a reset, so that the kernel does not go on feeding a client that does not read.
  void abort() override {
    error_code ignored;
    stream_.lowest_layer().set_option(asio::socket_base::linger(true, 0), ignored);
    stream_.lowest_layer().close(ignored);
  }

  void interrupt_idle() override {
    error_code ignored;
    if (idle_) stream_.lowest_layer().cancel(ignored);
  }

  void look_again() override {
    error_code ignored;
    if (receiving_) stream_.lowest_layer().cancel(ignored);
  }

  Task<void> run() {
    if constexpr (kTls) {
      const bool secure = co_await handshake();
      if (!secure) co_return;
    }
    for (;;) {
      const Next next = answer_ready();
      if (!thread_.output.empty() && !write_now()) {
        if (!charge_pending()) {
          thread_.metrics.overloaded.add();
          abort();
          co_return;
        }
        const bool written = co_await write_rest();
        if (!written) break;
        // Meanwhile the thread's head was another connection's, and the deadline the write's.
        in_head_ = false;
        if (next == Next::handle || next == Next::read) continue;
      }
      if (next == Next::write) continue;
      if (next == Next::close) break;
      if (next == Next::handle) {
        const bool keep = co_await handle();
        if (!keep) break;
        continue;
      }
      if (next == Next::refuse) {
        co_await refuse();
        break;
      }
      std::size_t n = 0;
      if constexpr (kTls) {
        error_code error;
        if (!thread_.draining || !idle_) {
          n = co_await stream_.async_read_some(buffer_.room(), asio::redirect_error(kAwait, error));
        }
      } else {
        // What arrived before the server stopped was accepted, so an idle connection is looked at once more.
        n = thread_.draining && idle_ ? stream_.receive_now(buffer_.room()) : ReadySocket::kNothing;
        while (n == ReadySocket::kNothing && !(thread_.draining && idle_)) {
          receiving_ = true;
          co_await stream_.receive(buffer_.room());
          receiving_ = false;
          n = stream_.interrupted() ? stream_.receive_now(buffer_.room()) : stream_.received();
        }
        if (n == ReadySocket::kNothing) n = 0;
        look_at_ms = thread_.now_ms + 1;
      }
      idle_ = false;
      if (n == 0) break;
      buffer_.add(n);
    }
    co_await close();
  }

 private:
  // Answers requests from the buffer into thread_.output for as long as their answers are ready.
  Next answer_ready() {
    Head& head = thread_.head;
    for (std::size_t count = 0; count < options_.pipelined_requests; ++count) {
      const std::string_view bytes = buffer_.bytes();
      scan_ = ++thread_.scans;
      const Scan scan = bytes.empty() ? Scan::incomplete : scan_head(bytes, options_.head, head, refusal_);
      if (scan == Scan::incomplete) return wait_for_more(bytes.empty());
      if (scan == Scan::refused) return Next::refuse;
      in_head_ = false;
      id_ = acceptable_request_id(head.request_id) ? head.request_id : thread_.new_request_id();
      if (head.has_body() || !thread_.fast_path) return Next::handle;
      FastContext context{id_, thread_.now, memo_};
      FastAnswer answer;
      if (!thread_.fast_path(head, context, answer)) return Next::handle;
      append(answer, head);
      const bool keep = head.keep_alive;
      buffer_.consume(head.size);
      if (!keep) return Next::close;
      if (!thread_.output.large.empty() || thread_.output.small.size() >= kOutputTarget) return Next::write;
    }
    return Next::write;
  }

  Next wait_for_more(bool empty) {
    if (empty) {
      idle_ = true;
      deadline_ms = thread_.deadline(options_.idle_time);
    } else if (!in_head_) {
      in_head_ = true;
      deadline_ms = thread_.deadline(options_.head_time);
    }
    return Next::read;
  }

  void append(const FastAnswer& answer, const Head& head) {
    Output& output = thread_.output;
    output.small.append(answer.head)
        .append("X-Request-Id: ")
        .append(id_)
        .append("\r\n")
        .append(thread_.date_line);
    if (!head.keep_alive) {
      output.small.append("Connection: close\r\n");
    } else if (head.minor_version == 0) {
      output.small.append("Connection: keep-alive\r\n");
    }
    output.small.append("\r\n");
    thread_.metrics.fast_by_class[static_cast<std::size_t>(answer.status / 100)].add();
    if (head.method == Method::head) return;
    if (answer.body.size() <= kCopiedAnswer) {
      output.small.append(answer.body);
    } else {
      output.large = answer.body;
      output.hold = answer.hold;
      output.held = answer.held;
    }
  }

  // True when everything went out. Otherwise what is left belongs to this connection: the snapshot may change
  // and the scratch memory will be used by others while this client takes its time.
  bool write_now() {
    Output& output = thread_.output;
    std::size_t sent = 0;
    if constexpr (!kTls) {
      error_code error;
      if (output.large.empty()) {
        sent = stream_.write_some(asio::buffer(output.small), error);
      } else {
        sent = stream_.write_some(
            std::array<asio::const_buffer, 2>{asio::buffer(output.small), asio::buffer(output.large)}, error);
      }
      thread_.metrics.bytes_sent.add(sent);
      if (sent == output.small.size() + output.large.size()) {
        output.clear();
        return true;
      }
    }
    const std::size_t of_small = std::min(sent, output.small.size());
    pending_.assign(output.small, of_small);
    pending_large_ = output.large.substr(sent - of_small);
    if (output.hold != nullptr) {
      pending_owner_ = output.hold(output.held);
    } else {
      pending_.append(pending_large_);
      pending_large_ = {};
    }
    output.clear();
    return false;
  }

  // Over TLS every ready answer is pending for a moment, so small ones go whatever others hold.
  bool charge_pending() {
    if (pending_.size() > kSmallAnswer) return answer_.take(pending_.size());
    answer_.take_anyway(pending_.size());
    return true;
  }

  Task<bool> write_rest() {
    const bool written = co_await write(pending_, pending_large_);
    pending_ = std::string();
    pending_large_ = {};
    pending_owner_.reset();
    answer_.release();
    co_return written;
  }

  // Both views must stay until it returns.
  Task<bool> write(std::string_view first, std::string_view second) {
    deadline_ms = thread_.deadline(options_.write_time);
    error_code error;
    const std::size_t sent = co_await asio::async_write(
        stream_, std::array{asio::buffer(first), asio::buffer(second)}, asio::redirect_error(kAwait, error));
    thread_.metrics.bytes_sent.add(sent);
    deadline_ms = thread_.deadline(options_.idle_time);
    co_return !error;
  }

  // The head in thread_.head is complete and nothing was ready for it. False: close.
  Task<bool> handle() {
    CHECK(thread_.scans == scan_, "the head of another connection");
    auto job = std::make_shared<Job>();
    const Head& head = thread_.head;
    const bool has_body = head.has_body();
    const std::uint64_t length = head.content_length.value_or(0);
    const bool chunked = head.chunked;
    const bool expects_continue = head.expects_continue;
    bool keep = head.keep_alive;
    const bool old = head.minor_version == 0;
    name_origin(job->request);
    std::size_t limit = options_.body_bytes;
    std::unique_ptr<Response> early = begin_job(*job, head, thread_.server.router, limit);
    buffer_.consume(head.size);
    if (!early && has_body && (chunked || buffer_.bytes().size() < length)) early = co_await ask_first(job);
    if (!early && has_body) {
      if (expects_continue && buffer_.bytes().empty()) {
        const bool told = co_await write("HTTP/1.1 100 Continue\r\n\r\n", "");
        if (!told) co_return false;
      }
      if (chunked) {
        early = co_await read_chunked(job->request, limit);
      } else {
        early = co_await read_sized(job->request, length);
      }
      if (closed_) co_return false;
    }
    if (early) {
      thread_.metrics.refused.add();
      keep = keep && !has_body;
      lingers_ = has_body;
      job->response = std::move(*early);
      log_refused(job);
    } else {
      deadline_ms = INT64_MAX;  // a handler takes the time it takes
      co_await dispatch(job);
      charge_answer(*job);
    }
    keep = keep && !(thread_.draining && buffer_.bytes().empty());
    if (pieces_of(job->response) != nullptr) keep = keep && !old;
    bool sent = co_await respond(*job, !keep, old);
    if (sent && pieces_of(job->response) != nullptr && job->request.method != Method::head) {
      sent = co_await send_pieces(job, !old);
      if (!sent) abort();  // an orderly end would pass a part off as the whole
    }
    body_.release();
    answer_.release();
    buffer_.shrink();
    if (sent && lingers_) co_await linger();
    co_return sent&& keep;
  }

  void name_origin(Request& request) {
    request.id = id_;
    request.secure = kTls;
    error_code error;
    request.peer = stream_.lowest_layer().remote_endpoint(error).address().to_string();
  }

  // An answer costs its memory until the client has read it. One that says what was done is never taken back:
  // a client that heard of no success would do it again.
  void charge_answer(Job& job) {
    std::exchange(job.request.body, {});
    body_.release();
    const std::size_t size = bytes_of(job.response).size();
    const bool reads = job.request.method == Method::get || job.request.method == Method::head;
    if (size <= kSmallAnswer || !reads) return answer_.take_anyway(size);
    if (!answer_.take(size)) job.response = std::move(*overloaded(job.request));
  }

  // Null when the client may send the body that it has announced.
  Task<std::unique_ptr<Response>> ask_first(std::shared_ptr<Job> job) {
    const Router& router = thread_.server.router;
    if (!router.admission() || job->match.route->options.open) co_return nullptr;
    deadline_ms = INT64_MAX;
    bool admitted = false;
    const bool asked =
        co_await on_worker(job, [&](Job& each, const ServerOptions&) { admitted = admit(each, router); });
    if (!asked) co_return overloaded(job->request);
    if (admitted) co_return nullptr;
    co_return std::make_unique<Response>(std::move(job->response));
  }

  // On a worker: the log may block.
  void log_refused(const std::shared_ptr<Job>& job) {
    if (!options_.access_log) return;
    thread_.server.workers->submit([job] { write_access_log(*job); });
  }

  std::unique_ptr<Response> overloaded(const Request& request) {
    thread_.metrics.overloaded.add();
    return std::make_unique<Response>(problem(
        unavailable("the server has too many requests at once; try again"), path_of(request), request.id));
  }

  Task<std::unique_ptr<Response>> read_sized(Request& request, std::uint64_t length) {
    deadline_ms = thread_.deadline(options_.body_time);
    std::string& body = request.body;
    body.assign(buffer_.bytes().substr(0, length));
    buffer_.consume(body.size());
    if (!body_.take(body.size())) co_return overloaded(request);
    while (body.size() < length) {
      const std::size_t have = body.size();
      const std::size_t step = std::min<std::size_t>(length - have, kBodyStep);
      if (!body_.take(step)) co_return overloaded(request);
      body.resize(have + step);
      const std::size_t n = co_await read_more(asio::buffer(body.data() + have, step));
      body.resize(have + n);
      body_.give(step - n);
      if (n == 0) {
        closed_ = true;
        break;
      }
    }
    co_return nullptr;
  }

  Task<std::unique_ptr<Response>> read_chunked(Request& request, std::size_t limit) {
    deadline_ms = thread_.deadline(options_.body_time);
    ChunkedDecoder decoder(limit);
    for (;;) {
      std::string_view bytes = buffer_.bytes();
      const std::size_t before = bytes.size(), size_before = decoder.size();
      const auto state = decoder.put(bytes);
      buffer_.consume(before - bytes.size());
      if (!body_.take(decoder.size() - size_before)) co_return overloaded(request);
      if (state == ChunkedDecoder::State::done) break;
      const auto room = buffer_.room();
      if (state == ChunkedDecoder::State::too_large) {
        co_return std::make_unique<Response>(
            problem(too_large("the body is over the limit of " + std::to_string(limit) + " bytes"),
                    path_of(request), request.id));
      }
      if (state == ChunkedDecoder::State::malformed || room.size() == 0) {
        co_return std::make_unique<Response>(
            problem(invalid("the chunked body is malformed"), path_of(request), request.id));
      }
      const std::size_t n = co_await read_more(room);
      if (n == 0) {
        closed_ = true;
        co_return nullptr;
      }
      buffer_.add(n);
    }
    request.body = decoder.take();
    co_return nullptr;
  }

  // Returns when the job has its response.
  Task<void> dispatch(std::shared_ptr<Job> job) {
    job->started = std::chrono::steady_clock::now();
    const auto handle = [](Job& each, const ServerOptions& options) {
      run_handler(each, options.access_log);
    };
    const bool accepted = co_await on_worker(job, handle);
    if (!accepted) job->response = std::move(*overloaded(job->request));
    thread_.metrics.handled(job->response.status, job->micros);
  }

  // The body behind a head that is out. False when it is not all out: the connection must end.
  Task<bool> send_pieces(std::shared_ptr<Job> job, bool chunks) {
    bool made = false;
    const auto make = [&made](Job& each, const ServerOptions&) { made = make_piece(each); };
    for (;;) {
      deadline_ms = INT64_MAX;
      const bool accepted = co_await on_worker(job, make);
      if (!accepted) thread_.metrics.overloaded.add();
      if (!accepted || !made) co_return false;
      answer_.release();
      if (!answer_.take(job->piece.size())) {
        thread_.metrics.overloaded.add();
        co_return false;
      }
      const bool last = job->piece.empty();
      if (last && !chunks) co_return true;
      const std::string frame = chunks ? chunk_head(job->piece.size()) : std::string();
      if (chunks) job->piece += "\r\n";
      const bool sent = co_await write(frame, job->piece);
      if (!sent || last) co_return sent;
    }
  }

  // Returns when `work` has run on a worker thread. False when there was no room for it.
  template <class Work>
  Task<bool> on_worker(std::shared_ptr<Job> job, Work work) {
    bool accepted = true;
    co_await asio::async_initiate<const asio::use_awaitable_t<Executor>, void()>(
        [&](auto handler) {
          auto shared = std::make_shared<decltype(handler)>(std::move(handler));
          job->resume = [shared] { (*shared)(); };
          accepted = thread_.server.workers->submit([job, work, thread = &thread_] {
            work(*job, thread->server.options);
            thread->post([job] { std::exchange(job->resume, nullptr)(); });
          });
          if (!accepted) asio::post(thread_.context(), std::exchange(job->resume, nullptr));
        },
        kAwait);
    co_return accepted;
  }

  Task<bool> respond(const Job& job, bool close, bool old) {
    const std::string head = head_of(job.response, {.id = job.request.id,
                                                    .date_line = thread_.date_line,
                                                    .close = close,
                                                    .old_keep_alive = old && !close,
                                                    .chunks = !old});
    const bool bare =
        job.request.method == Method::head || job.response.status == 204 || job.response.status == 304;
    co_return co_await write(head, bare ? std::string_view() : bytes_of(job.response));
  }

  // The bytes in the buffer are no request that can be understood: say so and close.
  Task<void> refuse() {
    thread_.metrics.refused.add();
    auto job = std::make_shared<Job>();
    job->request.method = Method::other;
    id_ = thread_.new_request_id();
    name_origin(job->request);
    job->response = problem(refusal_, "", job->request.id);
    log_refused(job);
    const bool sent = co_await respond(*job, true, false);
    if (sent) co_await linger();
  }

  // Closing with unread bytes would reset the connection and could take the answer with it.
  Task<void> linger() {
    error_code error;
    stream_.lowest_layer().shutdown(Socket::shutdown_send, error);
    deadline_ms = thread_.deadline(options_.linger_time);
    std::size_t total = buffer_.bytes().size();
    buffer_.consume(total);
    while (total < options_.linger_bytes) {
      std::size_t n = 0;
      if constexpr (kTls) {
        n = co_await stream_.next_layer().async_read_some(buffer_.room(),
                                                          asio::redirect_error(kAwait, error));
      } else {
        n = co_await read_more(buffer_.room());
      }
      if (n == 0) break;
      total += n;
    }
  }

  // For bodies and what is thrown away. 0: the stream has ended.
  Task<std::size_t> read_more(asio::mutable_buffer room) {
    if constexpr (kTls) {
      error_code error;
      co_return co_await stream_.async_read_some(room, asio::redirect_error(kAwait, error));
    } else {
      std::size_t n = stream_.receive_now(room);
      while (n == ReadySocket::kNothing) {
        co_await stream_.receive(room);
        n = stream_.interrupted() ? stream_.receive_now(room) : stream_.received();
      }
      co_return n;
    }
  }

  Task<bool> handshake() requires kTls {
    deadline_ms = thread_.deadline(options_.handshake_time);
    error_code error;
    co_await stream_.async_handshake(asio::ssl::stream_base::server, asio::redirect_error(kAwait, error));
    co_return !error;
  }

  Task<void> close() {
    error_code error;
    if constexpr (kTls) {
      deadline_ms = thread_.deadline(options_.linger_time);
      co_await stream_.async_shutdown(asio::redirect_error(kAwait, error));
    } else {
      stream_.shutdown(Socket::shutdown_both, error);
    }
  }

  IoThread& thread_;
  const ServerOptions& options_;
  Stream stream_;
  ReceiveBuffer buffer_;
  CredentialMemo memo_;
  Refusal refusal_;
  std::uint64_t scan_ = 0;  // the one that thread_.head has to be of
  std::string_view id_;     // of the request in thread_.head
  std::string pending_;
  std::string_view pending_large_;
  std::shared_ptr<const void> pending_owner_;
  Share body_{thread_.bodies}, answer_{thread_.answers};
  bool receiving_ = false;
  bool idle_ = false;     // waits for a request of which nothing has come
  bool in_head_ = false;  // has a part of a head
  bool closed_ = false;   // by the client, in the middle of a body
  bool lingers_ = false;
};

template <class Stream>
Task<void> own(std::unique_ptr<Connection<Stream>> connection) {
  co_await connection->run();
}

}  // namespace

void start_connection(IoThread& thread, Socket socket) {
  if (thread.server.tls) {
    auto connection = std::make_unique<Connection<TlsStream>>(thread, std::move(socket), *thread.server.tls);
    asio::co_spawn(thread.context(), own(std::move(connection)), asio::detached);
  } else {
    auto connection = std::make_unique<Connection<ReadySocket>>(thread, std::move(socket));
    asio::co_spawn(thread.context(), own(std::move(connection)), asio::detached);
  }
}

}  // namespace imprimatur::http
