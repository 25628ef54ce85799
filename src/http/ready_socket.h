// A socket whose reads cost one system call. Asio tries to read before it waits, which on a connection that
// asks and waits in turn is a second recv for every request, and always in vain. Here a read that did not
// fill its buffer waits for the next event at once. What that can miss, the end of a stream that came
// together with the last bytes, the owner finds with receive_now() a tick later. The operation lives in the
// socket, so a read allocates nothing.
#pragma once

#include "http/io_thread.h"

#include <cerrno>
#include <optional>
#include <sys/socket.h>
#include <utility>

namespace imprimatur::http {

class ReadySocket final : public Socket {
  using Reactor = asio::detail::reactor;
  using Operation = asio::detail::operation;

 public:
  // What receive_now() returns when there is nothing to read yet.
  static constexpr std::size_t kNothing = SIZE_MAX;

  explicit ReadySocket(Socket socket)
      : Socket(std::move(socket)),
        reactor_(asio::use_service<Reactor>(asio::query(get_executor(), asio::execution::context))) {}

  // Completes with bytes in `room`, at the end of the stream or on an error (received() is 0), or when
  // cancelled (interrupted()). Precondition: no other read is under way, `room` is not empty, the socket does
  // not block.
  auto receive(asio::mutable_buffer room) {
    return asio::async_initiate<const asio::use_awaitable_t<Executor>, void()>(
        [this, room](auto handler) {
          wait_.prepare(native_handle(), room, std::move(handler));
          auto& implementation = impl_.get_implementation();
          reactor_.start_op(Reactor::read_op, implementation.socket_, implementation.reactor_data_, &wait_,
                            false, true);
        },
        kAwait);
  }
  std::size_t received() const { return wait_.received; }
  bool interrupted() const { return wait_.ec_ == asio::error::operation_aborted; }

  // Without waiting: the bytes read, 0 at the end of the stream or on an error, or kNothing.
  std::size_t receive_now(asio::mutable_buffer room) {
    if (!is_open()) return 0;
    const ssize_t n = receive_into(native_handle(), room);
    if (n < 0) return errno == EAGAIN || errno == EWOULDBLOCK ? kNothing : 0;
    return static_cast<std::size_t>(n);
  }

 private:
  static ssize_t receive_into(int socket, asio::mutable_buffer room) {
    for (;;) {
      const ssize_t n = ::recv(socket, room.data(), room.size(), 0);
      if (n >= 0 || errno != EINTR) return n;
    }
  }

  class Wait final : public asio::detail::reactor_op {
   public:
    using Handler = asio::async_result<asio::use_awaitable_t<Executor>, void()>::handler_type;

    Wait() : reactor_op({}, &Wait::perform, &Wait::complete) {}
    void prepare(int socket, asio::mutable_buffer room, Handler handler) {
      ec_ = {};
      received = 0;
      socket_ = socket;
      room_ = room;
      handler_.emplace(std::move(handler));
    }
    std::size_t received = 0;

   private:
    static status perform(reactor_op* base) {
      auto* wait = static_cast<Wait*>(base);
      const ssize_t n = receive_into(wait->socket_, wait->room_);
      if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return not_done;
      wait->received = n > 0 ? static_cast<std::size_t>(n) : 0;
      return wait->received > 0 && wait->received < wait->room_.size() ? done_and_exhausted : done;
    }
    // Without an owner the io_context is being destroyed, and with it whoever waits.
    static void complete(void* owner, Operation* base, const boost::system::error_code&, std::size_t) {
      auto* wait = static_cast<Wait*>(base);
      if (owner == nullptr) return;
      Handler handler = std::move(*wait->handler_);
      wait->handler_.reset();
      handler();
    }
    int socket_ = -1;
    asio::mutable_buffer room_;
    std::optional<Handler> handler_;
  };

  Reactor& reactor_;
  Wait wait_;
};

}  // namespace imprimatur::http
