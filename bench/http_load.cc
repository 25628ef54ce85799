// The load for bench/fetch.py: one thread that keeps every connection of it busy with one request at a time.
//   http_load PORT CONNECTIONS SECONDS REQUESTS
// REQUESTS is a file with the requests to send in turn, each ended by an empty line; every answer has the
// size of the first one. It does next to nothing with an answer, because a load generator that works harder
// than the server measures itself. Prints one line of JSON: the requests, the seconds they took, and
// latencies in microseconds.
#include "base/check.h"

#include <arpa/inet.h>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <netinet/tcp.h>
#include <sstream>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace imprimatur::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kBuffer = 256 * 1024;
constexpr std::size_t kLatencies = 100'000;  // one slot a microsecond; the last takes whatever is longer
constexpr int kEvents = 256;

struct Connection {
  int socket = -1;
  std::size_t received = 0;
  Clock::time_point sent;
};

std::vector<std::string> requests_in(const char* path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream all;
  all << file.rdbuf();
  const std::string text = all.str();
  std::vector<std::string> requests;
  for (std::size_t at = 0, end; (end = text.find("\r\n\r\n", at)) != std::string::npos; at = end + 4) {
    requests.push_back(text.substr(at, end + 4 - at));
  }
  CHECK(!requests.empty(), "no requests in the file");
  return requests;
}

int connected_to(std::uint16_t port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  CHECK(::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0, "connect");
  const int on = 1;
  CHECK(::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0);
  return socket;
}

void send_all(int socket, std::string_view request) {
  CHECK(::send(socket, request.data(), request.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(request.size()),
        "send");
}

// The size of a whole answer with status 200, which is asked for once.
std::size_t size_of_answer(std::uint16_t port, const std::string& request) {
  const int socket = connected_to(port);
  send_all(socket, request);
  std::string answer;
  std::array<char, 64 * 1024> room;
  for (;;) {
    const ssize_t n = ::recv(socket, room.data(), room.size(), 0);
    CHECK(n > 0, "the connection ended");
    answer.append(room.data(), static_cast<std::size_t>(n));
    const std::size_t head = answer.find("\r\n\r\n");
    if (head == std::string::npos) continue;
    CHECK(answer.starts_with("HTTP/1.1 200 "), answer.substr(0, 60));
    const std::size_t length = answer.find("Content-Length: ");
    CHECK(length < head, "an answer without a length");
    const std::size_t size = head + 4 + std::strtoul(answer.c_str() + length + 16, nullptr, 10);
    if (answer.size() < size) continue;
    ::close(socket);
    return size;
  }
}

class Load {
 public:
  Load(std::uint16_t port, std::size_t connections, std::vector<std::string> requests)
      : requests_(std::move(requests)),
        answer_(size_of_answer(port, requests_.front())),
        connections_(connections) {
    poll_ = ::epoll_create1(EPOLL_CLOEXEC);
    for (Connection& connection : connections_) {
      connection.socket = connected_to(port);
      CHECK(::fcntl(connection.socket, F_SETFL, O_NONBLOCK) == 0);
      epoll_event event{.events = EPOLLIN, .data = {.ptr = &connection}};
      CHECK(::epoll_ctl(poll_, EPOLL_CTL_ADD, connection.socket, &event) == 0);
    }
  }

  void run(std::chrono::milliseconds time) {
    const auto begin = Clock::now();
    for (Connection& connection : connections_) ask(connection, begin);
    std::array<epoll_event, kEvents> events;
    Clock::time_point now = begin;
    while (now - begin < time) {
      const int count = ::epoll_wait(poll_, events.data(), kEvents, 1000);
      CHECK(count > 0, "nothing was answered for a second");
      for (int i = 0; i < count; ++i) {
        read(*static_cast<Connection*>(events[static_cast<std::size_t>(i)].data.ptr));
      }
      now = Clock::now();
    }
    seconds_ = std::chrono::duration<double>(now - begin).count();
  }

  void report() const {
    std::printf("{\"requests\":%zu,\"seconds\":%.6f,\"p50\":%zu,\"p99\":%zu,\"p999\":%zu}\n", answered_,
                seconds_, percentile(0.5), percentile(0.99), percentile(0.999));
  }

 private:
  void ask(Connection& connection, Clock::time_point now) {
    connection.sent = now;
    send_all(connection.socket, requests_[next_]);
    if (++next_ == requests_.size()) next_ = 0;
  }

  void read(Connection& connection) {
    const ssize_t n = ::recv(connection.socket, room_.data(), room_.size(), 0);
    CHECK(n > 0, "a connection ended");
    const std::string_view start(room_.data(), static_cast<std::size_t>(n));
    CHECK(connection.received > 0 || start.starts_with("HTTP/1.1 200 "), "an answer that is not 200");
    connection.received += static_cast<std::size_t>(n);
    CHECK(connection.received <= answer_, "an answer of another size");
    if (connection.received < answer_) return;
    connection.received = 0;
    const auto now = Clock::now();
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(now - connection.sent).count();
    ++latencies_[std::min(static_cast<std::size_t>(took), kLatencies - 1)];
    ++answered_;
    ask(connection, now);
  }

  std::size_t percentile(double share) const {
    auto left = static_cast<std::size_t>(static_cast<double>(answered_) * share);
    for (std::size_t i = 0; i < kLatencies; ++i) {
      if (latencies_[i] > left) return i;
      left -= latencies_[i];
    }
    return kLatencies;
  }

  const std::vector<std::string> requests_;
  const std::size_t answer_;
  std::vector<Connection> connections_;
  std::vector<std::size_t> latencies_ = std::vector<std::size_t>(kLatencies);
  std::vector<char> room_ = std::vector<char>(kBuffer);
  int poll_ = -1;
  std::size_t next_ = 0, answered_ = 0;
  double seconds_ = 0;
};

}  // namespace
}  // namespace imprimatur::bench

int main(int argc, char** argv) {
  using namespace imprimatur::bench;
  CHECK(argc == 5, "http_load PORT CONNECTIONS SECONDS REQUESTS");
  Load load(static_cast<std::uint16_t>(std::atoi(argv[1])), static_cast<std::size_t>(std::atoi(argv[2])),
            requests_in(argv[4]));
  load.run(std::chrono::milliseconds(static_cast<long>(std::atof(argv[3]) * 1000)));
  load.report();
}
