#include "base/http_client.h"

#include <arpa/inet.h>
#include <atomic>
#include <netinet/in.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>

namespace imprimatur {
namespace {

// Answers every connection with the same bytes and keeps what it was asked.
class OneAnswer {
 public:
  explicit OneAnswer(std::string answer) : answer_(std::move(answer)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    socklen_t length = sizeof address;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length);
    port_ = ntohs(address.sin_port);
    ::listen(listener_, 8);
    thread_ = std::thread([this] { serve(); });
  }
  ~OneAnswer() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/path"; }
  const std::string& asked() const { return asked_; }

 private:
  void serve() {
    for (;;) {
      const int client = ::accept(listener_, nullptr, nullptr);
      if (client < 0) return;
      char buffer[4096];
      const ssize_t read = ::recv(client, buffer, sizeof buffer, 0);
      if (read > 0) asked_.assign(buffer, static_cast<std::size_t>(read));
      if (answer_.empty()) {
        ::recv(client, buffer, sizeof buffer, 0);  // says nothing until the other side gives up
      } else {
        ::send(client, answer_.data(), answer_.size(), MSG_NOSIGNAL);
      }
      ::close(client);
    }
  }
  std::string answer_, asked_;
  int listener_ = -1;
  int port_ = 0;
  std::thread thread_;
};

std::string response(const std::string& status, const std::string& headers, const std::string& body) {
  return "HTTP/1.1 " + status + "\r\n" + headers + "Content-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

TEST(HttpClient, SendsWhatItIsToldAndGivesBackWhatCame) {
  const OneAnswer server(response("404 Not Found", "X-Thing:  a b \r\n", "nothing"));
  HttpClient client;
  const auto answer =
      client.send({.method = "POST", .url = server.url(), .headers = {{"X-Own", "1"}}, .body = "hi"});
  ASSERT_TRUE(answer.ok()) << answer.error().detail;
  EXPECT_EQ(answer->status, 404);
  EXPECT_EQ(answer->body, "nothing");
  EXPECT_EQ(answer->headers.at("x-thing"), "a b");
  EXPECT_TRUE(server.asked().starts_with("POST /path HTTP/1.1\r\n"));
  EXPECT_NE(server.asked().find("X-Own: 1\r\n"), std::string::npos);
  EXPECT_TRUE(server.asked().ends_with("\r\n\r\nhi"));
}

TEST(HttpClient, FollowsNoRedirect) {
  const OneAnswer server(response("302 Found", "Location: http://127.0.0.1:1/\r\n", ""));
  HttpClient client;
  EXPECT_EQ(client.send({.url = server.url()}).value().status, 302);
}

TEST(HttpClient, HoldsItsLimits) {
  const OneAnswer large(response("200 OK", "", std::string(5000, 'x')));
  HttpClient small({.response_bytes = 4999});
  EXPECT_EQ(small.send({.url = large.url()}).error().code, ErrorCode::too_large);
  const OneAnswer heads(response("200 OK", "X: " + std::string(5000, 'x') + "\r\n", ""));
  HttpClient few({.header_bytes = 4000});
  EXPECT_EQ(few.send({.url = heads.url()}).error().code, ErrorCode::too_large);
  const OneAnswer silent("");
  HttpClient hasty({.total = milliseconds(200)});
  EXPECT_EQ(hasty.send({.url = silent.url()}).error().code, ErrorCode::unavailable);
  HttpClient client;
  EXPECT_EQ(client.send({.url = "http://127.0.0.1:1/"}).error().code, ErrorCode::unavailable);
}

TEST(HttpClient, RefusesWhatCannotBeARequest) {
  HttpClient client;
  EXPECT_EQ(client.send({.url = "file:///etc/passwd"}).error().code, ErrorCode::invalid);
  EXPECT_EQ(client.send({.url = "http://127.0.0.1:1/\r\nX: y"}).error().code, ErrorCode::invalid);
  EXPECT_EQ(client.send({.url = "http://127.0.0.1:1/", .headers = {{"A", "b\r\nC: d"}}}).error().code,
            ErrorCode::invalid);
}

}  // namespace
}  // namespace imprimatur
