// The server from outside: raw bytes over loopback.
#include "http/server.h"

#include "base/log.h"
#include "http/operations.h"
#include "http/raw_client_test.h"

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <thread>

#include <boost/json.hpp>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

namespace imprimatur::http {
namespace {

using namespace std::chrono_literals;

// A handler that waits until the test lets it go.
class Gate {
 public:
  void pass() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return open_; });
  }
  void wait_for(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return waiting_ >= count; });
  }
  void open() {
    std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int waiting_ = 0;
  bool open_ = false;
};

class ServerTest : public ::testing::Test {
 protected:
  ServerTest() {
    options.port = 0;
    options.access_log = false;
    options.sweep_interval = milliseconds(20);
    options.worker_threads = 2;
    set_log_level(LogLevel::error);
    router.add(
        {Method::post, "/echo", [this](const Request& request, const PathArguments&) -> Result<Response> {
           ++handled;
           return json_response(request.body);
         }});
    router.add(
        {Method::get, "/item/{name}", [](const Request&, const PathArguments& path) -> Result<Response> {
           return json_response(path["name"]);
         }});
    router.add({Method::get, "/wait", [this](const Request&, const PathArguments&) -> Result<Response> {
                  gate.pass();
                  return json_response("{\"waited\":true}");
                }});
    router.add({Method::get, "/throws", [](const Request&, const PathArguments&) -> Result<Response> {
                  throw std::runtime_error("secret words\nDETAIL: a quoted row");
                }});
    router.add(
        {Method::get, "/pieces/{count}", [](const Request&, const PathArguments& path) -> Result<Response> {
           // A piece of 100,000 bytes each; "9" breaks in the middle.
           const auto count = std::make_shared<int>(std::stoi(path["count"]));
           Response response;
           response.body = Pieces([count, breaks = *count == 9]() -> std::string {
             if (breaks && *count == 5) throw std::runtime_error("no more");
             return (*count)-- > 0 ? std::string(100'000, static_cast<char>('a' + *count)) : std::string();
           });
           return response;
         }});
    router.add({Method::post,
                "/any",
                [](const Request& request, const PathArguments&) -> Result<Response> {
                  return json_response(std::to_string(request.body.size()));
                },
                {.body_bytes = 300'000}});
  }

  // "/fast/<n>" answers n bytes at once.
  static FastPathFactory fast() {
    return [](std::size_t) -> FastPath {
      auto big = std::make_shared<std::shared_ptr<const void>>();
      return [big, head = std::string(), body = std::make_shared<std::string>()](
                 const Head& request, FastContext&, FastAnswer& answer) mutable {
        if (!request.path.starts_with("/fast/")) return false;
        const std::size_t size = std::stoul(std::string(request.path.substr(6)));
        if (body->size() != size) body = std::make_shared<std::string>(size, 'x');
        *big = body;
        head =
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(size) +
            "\r\n";
        answer = {
            .status = 200,
            .head = head,
            .body = *body,
            .hold = [](const void* held) { return *static_cast<const std::shared_ptr<const void>*>(held); },
            .held = big.get()};
        return true;
      };
    };
  }

  void start(FastPathFactory fast_path = fast()) {
    metrics.emplace(options.threads);
    add_operations_routes(router, *metrics, [this]() -> Readiness {
      if (!verified) return {Writes::verifying, "being \"verified\""};
      return {};
    });
    server.emplace(options, router, *metrics, std::move(fast_path));
    const Status started = server->start();
    ASSERT_TRUE(started.ok()) << started.error().detail;
  }

  std::string ask(std::string_view request, bool bodyless = false) {
    RawClient client(server->port());
    client.send(request);
    return client.answer(bodyless);
  }

  // Sends, expects a problem document with this status, and then the end of the connection.
  void expect_refused(std::string_view request, int status) {
    RawClient client(server->port());
    client.send(request);
    const auto answer = client.until_closed();
    ASSERT_TRUE(answer.has_value()) << "still open after: " << request;
    EXPECT_EQ(status_in(*answer), status) << request << "\n" << *answer;
    EXPECT_NE(answer->find("Content-Type: application/problem+json"), std::string::npos) << request;
    EXPECT_NE(answer->find("Connection: close"), std::string::npos) << request;
    EXPECT_NE(answer->find("X-Request-Id: "), std::string::npos) << request;
    const auto body = boost::json::parse(answer->substr(answer->find("\r\n\r\n") + 4));
    EXPECT_EQ(body.at("status"), status);
    EXPECT_EQ(body.at("traceId").as_string().size(), 24u);
  }

  ServerOptions options;
  Router router;
  Gate gate;
  std::atomic<int> handled{0};
  std::atomic<bool> verified{true};
  std::optional<Metrics> metrics;
  std::optional<Server> server;
};

constexpr std::string_view kHost = "Host: h\r\n";
std::string get(std::string_view target, std::string_view fields = "") {
  return "GET " + std::string(target) + " HTTP/1.1\r\n" + std::string(kHost) + std::string(fields) + "\r\n";
}
std::string post(std::string_view target, std::string_view body, std::string_view fields = "") {
  return "POST " + std::string(target) +
         " HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n" + std::string(fields) + "\r\n" + std::string(body);
}

TEST_F(ServerTest, AnswersAndKeepsTheConnection) {
  start();
  RawClient client(server->port());
  for (int i = 0; i < 3; ++i) {
    client.send(post("/echo", "{\"a\":1}"));
    const std::string answer = client.answer();
    EXPECT_EQ(status_in(answer), 200);
    EXPECT_TRUE(answer.ends_with("\r\n\r\n{\"a\":1}")) << answer;
    EXPECT_NE(answer.find("\r\nDate: "), std::string::npos);
    client.send(get("/fast/5", "X-Request-Id: mine-1\r\n"));
    const std::string fast = client.answer();
    EXPECT_TRUE(fast.ends_with("\r\n\r\nxxxxx")) << fast;
    EXPECT_NE(fast.find("\r\nX-Request-Id: mine-1\r\n"), std::string::npos);
  }
  EXPECT_EQ(ask(get("/item/a%2Fb%20c")).substr(ask(get("/item/a%2Fb%20c")).find("\r\n\r\n") + 4), "a/b c");
  const std::string odd = ask(get("/fast/1", "X-Request-Id: \"quoted\"\r\n"));
  EXPECT_EQ(odd.find("quoted"), std::string::npos) << "only a sane id is echoed";
}

TEST_F(ServerTest, HeadMirrorsGet) {
  start();
  RawClient client(server->port());
  client.send("HEAD /item/abc HTTP/1.1\r\nHost: h\r\n\r\n");
  const std::string slow = client.answer(true);
  EXPECT_NE(slow.find("Content-Length: 3\r\n"), std::string::npos);
  client.send("HEAD /fast/7 HTTP/1.1\r\nHost: h\r\n\r\n");
  const std::string fast = client.answer(true);
  EXPECT_NE(fast.find("Content-Length: 7\r\n"), std::string::npos);
  client.send(get("/item/z"));
  EXPECT_TRUE(client.answer().ends_with("\r\n\r\nz")) << "no body came in between";
}

TEST_F(ServerTest, NotFoundNotAllowedAndFailures) {
  start();
  EXPECT_EQ(status_in(ask(get("/nowhere"))), 404);
  const std::string method = ask("PUT /echo HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(status_in(method), 405);
  EXPECT_NE(method.find("\r\nAllow: POST\r\n"), std::string::npos) << method;
  EXPECT_EQ(status_in(ask("BREW /echo HTTP/1.1\r\nHost: h\r\n\r\n")), 405);
  testing::internal::CaptureStderr();
  const std::string broken = ask(get("/throws", "X-Request-Id: trace-7\r\n"));
  const std::string logged = testing::internal::GetCapturedStderr();
  EXPECT_NE(logged.find("\"traceId\":\"trace-7\""), std::string::npos) << logged;
  EXPECT_NE(logged.find("\"route\":\"/throws\""), std::string::npos) << logged;
  EXPECT_NE(logged.find("\"what\":\"secret words\""), std::string::npos)
      << "the operator learns why: " << logged;
  EXPECT_EQ(logged.find("quoted row"), std::string::npos) << logged;
  EXPECT_EQ(status_in(broken), 500);
  EXPECT_EQ(broken.find("secret"), std::string::npos);
  EXPECT_NE(broken.find("\"traceId\":\"trace-7\""), std::string::npos);
  RawClient client(server->port());
  client.send(get("/nowhere") + get("/item/still"));
  EXPECT_EQ(status_in(client.answer()), 404);
  EXPECT_TRUE(client.answer().ends_with("still")) << "a 404 keeps the connection";
}

TEST_F(ServerTest, ABodyInPiecesIsWholeOrSaysThatItIsNot) {
  start();
  std::string all;
  for (const char c : {'c', 'b', 'a'}) all += "186a0\r\n" + std::string(100'000, c) + "\r\n";
  RawClient client(server->port());
  client.send(get("/pieces/3") + get("/item/next", "Connection: close\r\n"));
  const auto got = client.until_closed();
  ASSERT_TRUE(got);
  const std::size_t body = got->find("\r\n\r\n") + 4;
  EXPECT_NE(got->find("Transfer-Encoding: chunked\r\n"), std::string::npos);
  EXPECT_EQ(got->substr(0, body).find("Content-Length"), std::string::npos);
  EXPECT_EQ(got->substr(body, all.size() + 5), all + "0\r\n\r\n");
  EXPECT_EQ(status_in(got->substr(body + all.size() + 5)), 200) << "the connection is kept";
  EXPECT_TRUE(got->ends_with("next"));
  // Nothing to say, to a HEAD, and to a client of HTTP/1.0, which knows no chunks.
  EXPECT_TRUE(ask(get("/pieces/0", "Connection: close\r\n")).ends_with("\r\n\r\n"));
  RawClient head(server->port());
  head.send("HEAD /pieces/3 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(head.until_closed().value().ends_with("\r\n\r\n"));
  RawClient old(server->port());
  old.send("GET /pieces/2 HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n\r\n");
  const std::string plain = old.until_closed().value();
  EXPECT_EQ(plain.find("chunked"), std::string::npos);
  EXPECT_TRUE(plain.ends_with("\r\n\r\n" + std::string(100'000, 'b') + std::string(100'000, 'a')));
  // One that breaks in the middle never looks whole.
  RawClient cut(server->port());
  cut.send(get("/pieces/9"));
  EXPECT_EQ(cut.until_closed().value().find("\r\n0\r\n"), std::string::npos);
}

TEST_F(ServerTest, RefusesSmugglingAndBadFraming) {
  start();
  const std::string chunked =
      "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nTransfer-Encoding: ";
  const std::pair<std::string, int> table[] = {
      {chunked + "chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n", 400},
      {post("/echo", "ab", "Content-Length: 2\r\n"), 400},
      {post("/echo", "ab", "Content-Length: 3\r\n"), 400},
      {chunked + "gzip\r\n\r\n", 501},
      {chunked + "chunked\r\n\r\nZ\r\nab\r\n0\r\n\r\n", 400},
      {chunked + "chunked\r\n\r\n-2\r\nab\r\n0\r\n\r\n", 400},
      {chunked + "chunked\r\n\r\n2\nab\r\n0\r\n\r\n", 400},
      {chunked + "chunked\r\n\r\n2\r\nabcd\r\n0\r\n\r\n", 400},
      {chunked + "chunked\r\n\r\nffffffffffffffff1\r\nab\r\n0\r\n\r\n", 400},
      {"GET /item/a HTTP/1.1\nHost: h\n\n", 400},
      {get("/item/a", "X: b\r\n c\r\n"), 400},
      {get("/item/a", "X : b\r\n"), 400},
      {get("/item/a", "Host: other\r\n"), 400},
      {"GET /item/a HTTP/1.1\r\n\r\n", 400},
      {get("http://h/item/a"), 400},
      {get("/item/a", std::string("X: a\0b\r\n", 8)), 400},
      {get("/" + std::string(9000, 'a')), 414},
      {get("/item/a", "X: " + std::string(17'000, 'a') + "\r\n"), 431},
      {post("/echo", "{}", "Expect: magic\r\n"), 417},
      {"GET / HTTP/3.0\r\nHost: h\r\n\r\n", 505},
      {"\x16\x03\x01\x02\x00\x01\x00", 400},
  };
  for (const auto& [bytes, status] : table) expect_refused(bytes, status);
  EXPECT_EQ(handled, 0);
  // A smuggled second request must not be answered.
  RawClient client(server->port());
  client.send(chunked + "chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\n" + get("/item/smuggled"));
  EXPECT_EQ(client.until_closed()->find("smuggled"), std::string::npos);
}

TEST_F(ServerTest, RefusesBadEncodingsAndNames) {
  start();
  for (const char* target : {"/item/%", "/item/%2", "/item/%zz", "/item/%00", "/item/%0d%0aX", "/item/%c0%af",
                             "/item/..", "/item/%2e%2e", "/item/a?x=%ff"}) {
    EXPECT_EQ(status_in(ask(get(target))), 400) << target;
  }
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += "/a";
  EXPECT_EQ(status_in(ask(get(deep))), 414);
}

TEST_F(ServerTest, BodiesHaveATypeALengthAndALimit) {
  options.body_bytes = 1000;
  start();
  EXPECT_EQ(status_in(ask("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}")), 415);
  EXPECT_EQ(status_in(ask(
                "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}")),
            415);
  EXPECT_EQ(status_in(ask(post("/echo", "{}", "Content-Encoding: gzip\r\n"))), 415);
  expect_refused(post("/echo", std::string(1001, 'a')), 413);
  EXPECT_EQ(status_in(ask(post("/echo", std::string(1000, 'a')))), 200);
  const std::string chunked =
      "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nTransfer-Encoding: "
      "chunked\r\n\r\n";
  EXPECT_TRUE(ask(chunked + "3;ext=1\r\n{\"a\r\n4\r\n\":1}\r\n0\r\nTrailer: x\r\n\r\n")
                  .ends_with("\r\n\r\n{\"a\":1}"));
  expect_refused(chunked + "3e9\r\n" + std::string(1001, 'a') + "\r\n0\r\n\r\n", 413);
  // 413 also reaches a client that goes on sending.
  RawClient big(server->port());
  big.send(post("/echo", std::string(200'000, 'a')));
  EXPECT_EQ(status_in(*big.until_closed()), 413);
  EXPECT_TRUE(ask("POST /any HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: "
                  "250000\r\n\r\n" +
                  std::string(250'000, 'b'))
                  .ends_with("250000"));
}

TEST_F(ServerTest, ABodyCutInTheMiddleReachesNoHandler) {
  start();
  for (const std::string& cut :
       {std::string("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
                    "Content-Length: 10\r\n\r\n{\"a\""),
        std::string("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
                    "Transfer-Encoding: chunked\r\n\r\n5\r\n{\"a\"")}) {
    RawClient client(server->port());
    client.send(cut);
    client.finish_sending();
    EXPECT_EQ(client.until_closed(), "");
  }
  EXPECT_EQ(handled, 0);
}

TEST_F(ServerTest, AClientThatClosesItsSideIsAnsweredAndLetGoAtOnce) {
  start();
  for (int i = 0; i < 20; ++i) {
    RawClient client(server->port());
    client.send(get("/fast/3") + get("/item/last"));
    client.finish_sending();
    const auto all = client.until_closed(2s);
    ASSERT_TRUE(all.has_value()) << "not only after the idle time";
    EXPECT_TRUE(all->ends_with("last"));
  }
  EXPECT_EQ(metrics->thread(0).timed_out.get(), 0u);
}

TEST_F(ServerTest, ExpectContinue) {
  start();
  RawClient client(server->port());
  client.send(
      "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
      "Expect: 100-continue\r\n\r\n");
  EXPECT_EQ(status_in(client.answer(true)), 100);
  client.send("{}");
  EXPECT_EQ(status_in(client.answer()), 200);
  // Refused before the body is sent.
  expect_refused(
      "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n"
      "Expect: 100-continue\r\n\r\n",
      415);
}

TEST_F(ServerTest, OldClients) {
  start();
  RawClient closing(server->port());
  closing.send("GET /item/a HTTP/1.0\r\n\r\n");
  EXPECT_NE(closing.until_closed()->find("Connection: close"), std::string::npos);
  RawClient keeping(server->port());
  for (const char* path : {"/item/a", "/fast/3"}) {
    keeping.send("GET " + std::string(path) + " HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_NE(keeping.answer().find("Connection: keep-alive"), std::string::npos);
  }
}

TEST_F(ServerTest, PipelinedAnswersComeInOrder) {
  options.pipelined_requests = 4;
  start();
  std::string requests, expected;
  for (int i = 0; i < 60; ++i) {
    const int size = i % 7 == 3 ? 20'000 + i : i;
    requests += i % 5 == 4 ? post("/echo", std::to_string(i)) : get("/fast/" + std::to_string(size));
    expected += i % 5 == 4 ? "e" + std::to_string(i) + ";" : "f" + std::to_string(size) + ";";
  }
  RawClient client(server->port());
  std::thread sender([&] { client.send(requests); });
  std::string got;
  for (int i = 0; i < 60; ++i) {
    const std::string answer = client.answer();
    const std::string body = answer.substr(answer.find("\r\n\r\n") + 4);
    const bool fast = body.find_first_not_of('x') == std::string::npos;
    got += fast ? "f" + std::to_string(body.size()) + ";" : "e" + body + ";";
  }
  sender.join();
  EXPECT_EQ(got, expected);
}

TEST_F(ServerTest, ByteAtATimeWorksUntilItsTimeIsUp) {
  options.head_time = milliseconds(400);
  options.body_time = milliseconds(400);
  options.idle_time = milliseconds(300);
  start();
  RawClient quick(server->port());
  for (const char c : post("/echo", "{}")) quick.send(std::string_view(&c, 1));
  EXPECT_EQ(status_in(quick.answer()), 200);
  EXPECT_EQ(quick.until_closed(3s), "") << "idle connections end";
  // A byte now and then does not buy more time.
  const std::string body_request = post("/echo", std::string(1000, 'a')).substr(0, 200);
  for (const std::string& start_with : {std::string("GET /item/a HTTP/1.1\r\nX: "), body_request}) {
    RawClient slow(server->port());
    const auto began = std::chrono::steady_clock::now();
    slow.send(start_with);
    while (slow.send("a") && std::chrono::steady_clock::now() - began < 5s) std::this_thread::sleep_for(50ms);
    EXPECT_LT(std::chrono::steady_clock::now() - began, 3s);
  }
  EXPECT_GE(metrics->thread(0).timed_out.get(), 3u);
}

std::size_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::size_t total = 0, resident = 0;
  statm >> total >> resident;
  return resident * 4096;
}

TEST_F(ServerTest, ClientsThatNeverReadAreDroppedAndHoldNoMemory) {
  options.write_time = milliseconds(500);
  options.idle_time = seconds(60);
  start();
  const std::size_t before = resident_bytes();
  std::vector<std::unique_ptr<RawClient>> clients;
  std::string flood;
  for (int i = 0; i < 500; ++i) flood += get("/fast/200000");
  for (int i = 0; i < 20; ++i) {
    clients.push_back(std::make_unique<RawClient>(server->port(), 4096));
    clients.back()->send_some(flood);
  }
  std::this_thread::sleep_for(200ms);
  EXPECT_LT(resident_bytes(), before + 64 * 1024 * 1024) << "500 answers of 200 kB are asked for by each";
  std::this_thread::sleep_for(1s);
  for (auto& client : clients) {
    const auto rest = client->until_closed();
    ASSERT_TRUE(rest.has_value());
    EXPECT_LT(rest->size(), 20'000'000u);
  }
  EXPECT_EQ(metrics->thread(0).timed_out.get(), 20u);
  EXPECT_EQ(status_in(ask(get("/fast/1"))), 200);
}

TEST_F(ServerTest, ALargeAnswerToASlowReaderOutlivesItsSnapshot) {
  start();
  RawClient client(server->port(), 4096);
  client.send(get("/fast/8000000"));
  std::this_thread::sleep_for(50ms);
  EXPECT_EQ(status_in(ask(get("/fast/9000000"))), 200) << "replaces the bytes that the first still waits for";
  const std::string answer = client.answer();
  EXPECT_EQ(answer.size() - answer.find("\r\n\r\n") - 4, 8'000'000u);
}

TEST_F(ServerTest, AFullQueueIsA503) {
  options.worker_threads = 1;
  options.worker_queue = 1;
  start();
  RawClient running(server->port()), queued(server->port());
  running.send(get("/wait"));
  gate.wait_for(1);
  // The thread hands the second over in the same turn in which it answers the first.
  queued.send(get("/fast/1") + get("/wait"));
  EXPECT_EQ(status_in(queued.answer()), 200);
  const std::string answer = ask(get("/item/a"));
  EXPECT_EQ(status_in(answer), 503);
  EXPECT_NE(answer.find("\r\nRetry-After: "), std::string::npos);
  EXPECT_EQ(status_in(ask(get("/fast/1"))), 200) << "ready answers need no worker";
  gate.open();
  EXPECT_EQ(status_in(running.answer()), 200);
  EXPECT_EQ(status_in(queued.answer()), 200);
}

TEST_F(ServerTest, BodiesShareABudget) {
  options.body_bytes = 1'000'000;
  options.buffered_body_bytes = 400'000;
  start();
  const std::string part = post("/echo", std::string(300'000, 'a'));
  RawClient first(server->port());
  first.send(std::string_view(part).substr(0, 250'000));
  std::this_thread::sleep_for(50ms);
  RawClient second(server->port());
  second.send(part);
  EXPECT_EQ(status_in(second.answer()), 503);
  first.send(std::string_view(part).substr(250'000));
  EXPECT_EQ(status_in(first.answer()), 200);
  EXPECT_EQ(status_in(ask(part)), 200) << "the budget came back";
}

TEST_F(ServerTest, AnswersThatNobodyReadsShareTheBudget) {
  constexpr std::size_t kAnswer = 16'000'000;  // more than the socket buffers of both sides take
  options.buffered_answer_bytes = kAnswer + kAnswer / 2;
  router.add({Method::get, "/long", [](const Request&, const PathArguments&) -> Result<Response> {
                return json_response(std::string(kAnswer, 'a'));
              }});
  router.add({Method::post, "/long", [this](const Request&, const PathArguments&) -> Result<Response> {
                ++handled;
                return json_response(std::string(kAnswer, 'b'));
              }});
  start();
  RawClient deaf(server->port());
  deaf.send(get("/long"));
  int status = 200;
  for (int attempt = 0; attempt < 100 && status == 200; ++attempt) {
    std::this_thread::sleep_for(20ms);
    status = status_in(ask(get("/long")));
  }
  EXPECT_EQ(status, 503);
  EXPECT_EQ(status_in(ask(get("/item/short"))), 200);
  // Whoever does not hear that it was done does it again.
  EXPECT_EQ(status_in(ask(post("/long", "{}"))), 200);
  EXPECT_EQ(handled, 1);
  EXPECT_EQ(status_in(deaf.answer()), 200);
  EXPECT_EQ(status_in(ask(get("/long"))), 200) << "the budget came back";
}

TEST_F(ServerTest, ReadyAnswersAndPiecesThatNobodyReadsAreClosedBeyondTheBudget) {
  options.buffered_answer_bytes = 20'000;
  start();
  std::string many;
  for (int i = 0; i < 64; ++i) many += get("/fast/8000");
  // What is left of a write may be little by chance, but not for each of them.
  bool all_open = true;
  for (int client = 0; client < 10 && all_open; ++client) {
    RawClient deaf(server->port(), 4096);
    for (int i = 0; i < 150 && all_open; ++i) {
      all_open = deaf.send(many);
      std::this_thread::sleep_for(5ms);
    }
  }
  EXPECT_FALSE(all_open);
  RawClient pieces(server->port());
  pieces.send(get("/pieces/3"));  // of 100,000 bytes
  const auto cut = pieces.until_closed();
  ASSERT_TRUE(cut.has_value());
  EXPECT_FALSE(cut->ends_with("0\r\n\r\n"));
  EXPECT_EQ(status_in(ask(get("/fast/8000"))), 200);
}

TEST_F(ServerTest, ABodyIsWaitedForOnlyWithACredential) {
  router.admit_by([](const Request& request) -> Status {
    if (request.header("Authorization") != nullptr) return Ok{};
    return unauthenticated("who are you?");
  });
  router.add({Method::post,
              "/open",
              [](const Request& request, const PathArguments&) -> Result<Response> {
                return json_response(std::to_string(request.body.size()));
              },
              {.open = true}});
  start();
  const std::string length = "Content-Length: 1000\r\n", part = R"({"a":)";
  const auto begun = [&](const std::string& path, const std::string& fields) {
    return "POST " + path + " HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n" + fields + "\r\n";
  };
  expect_refused(begun("/echo", length) + part, 401);
  expect_refused(begun("/echo", "Transfer-Encoding: chunked\r\n") + "5\r\n", 401);
  expect_refused(begun("/echo", length + "Expect: 100-continue\r\n"), 401);
  EXPECT_EQ(handled, 0);
  for (const std::string& head : {begun("/echo", length + "Authorization: x\r\n"), begun("/open", length)}) {
    RawClient client(server->port());
    client.send(head + part);
    std::this_thread::sleep_for(50ms);
    client.send(std::string(1000 - part.size(), ' '));
    EXPECT_EQ(status_in(client.answer()), 200);
  }
  // What came with its head costs nobody anything; the handler decides.
  EXPECT_EQ(status_in(ask(post("/echo", "{}"))), 200);
}

TEST_F(ServerTest, TheAccessLogHasEveryRequestButWhatIsOnlyCounted) {
  options.access_log = true;
  router.add({Method::get,
              "/counted",
              [](const Request&, const PathArguments&) { return json_response("{}"); },
              {.logged = false}});
  testing::internal::CaptureStderr();
  set_log_level(LogLevel::info);
  start();
  ask(get("/item/secret-name", "X-Request-Id: handled-1\r\n"));
  ask(get("/nowhere", "X-Request-Id: unknown-2\r\n"));
  ask(post("/item/a", "{}", "X-Request-Id: method-3\r\n"));
  ask("nonsense\r\n\r\n");
  for (const char* path : {"/counted", "/fast/10", "/healthz", "/readyz", "/metrics"}) {
    ask(get(path, "X-Request-Id: counted-4\r\n"));
  }
  server.reset();
  std::istringstream lines(testing::internal::GetCapturedStderr());
  std::map<std::string, boost::json::object> by_id;
  int refused = 0;
  for (std::string line; std::getline(lines, line);) {
    boost::json::object one = boost::json::parse(line).as_object();
    if (one.at("event") != "request") continue;
    EXPECT_EQ(line.find("secret-name"), std::string::npos) << "a path in the log";
    EXPECT_EQ(one.at("peer"), "127.0.0.1");
    if (one.at("status") == 400) ++refused;
    by_id.emplace(one.at("id").as_string(), std::move(one));
  }
  ASSERT_EQ(by_id.size(), 4u);
  EXPECT_EQ(refused, 1);
  EXPECT_EQ(by_id.at("handled-1").at("route"), "/item/{name}");
  EXPECT_EQ(by_id.at("handled-1").at("method"), "GET");
  EXPECT_EQ(by_id.at("handled-1").at("status"), 200);
  EXPECT_TRUE(by_id.at("unknown-2").at("route").is_null());
  EXPECT_EQ(by_id.at("unknown-2").at("status"), 404);
  EXPECT_EQ(by_id.at("method-3").at("status"), 405);
}

TEST_F(ServerTest, ConnectionsAreCounted) {
  options.connections = 3;
  start();
  std::vector<std::unique_ptr<RawClient>> open;
  for (int i = 0; i < 3; ++i) {
    open.push_back(std::make_unique<RawClient>(server->port()));
    open.back()->send(get("/fast/1"));
    EXPECT_EQ(status_in(open.back()->answer()), 200);
  }
  RawClient extra(server->port());
  EXPECT_EQ(status_in(*extra.until_closed()), 503);
  open.pop_back();
  std::this_thread::sleep_for(50ms);
  EXPECT_EQ(status_in(ask(get("/fast/1"))), 200);
}

TEST_F(ServerTest, StoppingFinishesWhatWasAccepted) {
  start();
  RawClient idle(server->port()), running(server->port()), partial(server->port());
  idle.send(get("/fast/1"));
  EXPECT_EQ(status_in(idle.answer()), 200);
  running.send(get("/wait"));
  gate.wait_for(1);
  partial.send("GET /item/half HTTP/1.1\r\n");
  std::this_thread::sleep_for(50ms);
  const std::uint16_t port = server->port();
  std::thread stopper([&] { server->stop(); });
  EXPECT_EQ(idle.until_closed(), "");
  partial.send("Host: h\r\n\r\n");
  const std::string half = partial.answer();
  EXPECT_TRUE(half.ends_with("half")) << half;
  EXPECT_NE(half.find("Connection: close"), std::string::npos);
  EXPECT_FALSE(RawClient(port).connected());
  gate.open();
  EXPECT_EQ(status_in(running.answer()), 200);
  stopper.join();
}

TEST_F(ServerTest, NoAcceptedRequestIsLostWhenItStopsUnderLoad) {
  options.threads = 2;
  start();
  std::atomic<int> answered{0}, lost{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back([&, i] {
      RawClient client(server->port());
      for (;;) {
        const std::string request = i % 2 == 0 ? get("/fast/10") : post("/echo", "{}");
        if (!client.connected() || !client.send(request)) return;
        const std::string answer = client.answer();
        if (status_in(answer) == 200) {
          ++answered;
        } else {
          // A server may close between two requests; what it may not do is take one and answer half of it.
          const auto rest = client.until_closed(1s);
          if (!rest || !rest->empty()) ++lost;
          return;
        }
      }
    });
  }
  std::this_thread::sleep_for(200ms);
  server->stop();
  for (auto& client : clients) client.join();
  EXPECT_GT(answered, 8);
  EXPECT_EQ(lost, 0);
}

TEST_F(ServerTest, ForcesWhatDoesNotEnd) {
  options.drain_time = milliseconds(200);
  start();
  RawClient partial(server->port());
  partial.send("GET /item/never");
  std::this_thread::sleep_for(50ms);
  const auto began = std::chrono::steady_clock::now();
  server->stop();
  EXPECT_LT(std::chrono::steady_clock::now() - began, 3s);
}

TEST_F(ServerTest, OperationsRoutes) {
  start();
  ask(get("/fast/1"));
  EXPECT_EQ(status_in(ask(get("/healthz"))), 200);
  const std::string open = ask(get("/readyz"));
  EXPECT_EQ(status_in(open), 200);
  EXPECT_NE(open.find(R"({"status":"ready","writes":"open","reason":null})"), std::string::npos) << open;
  verified = false;
  const std::string verifying = ask(get("/readyz"));
  EXPECT_EQ(status_in(verifying), 200) << "reads are served";
  EXPECT_NE(verifying.find(R"("writes":"verifying","reason":"being \"verified\"")"), std::string::npos)
      << verifying;
  const std::string text = ask(get("/metrics"));
  EXPECT_NE(text.find("imprimatur_http_requests_total{path=\"runtime\",status=\"2xx\"} 1\n"),
            std::string::npos);
  EXPECT_NE(text.find("imprimatur_http_requests_total{path=\"handler\",status=\"2xx\"} 3\n"),
            std::string::npos);
  EXPECT_NE(text.find("imprimatur_http_handler_seconds_bucket{le=\"+Inf\"} 3\n"), std::string::npos) << text;
}

TEST_F(ServerTest, AnAddressInUseIsAnErrorAndNotACrash) {
  start();
  ServerOptions again = options;
  again.port = server->port();
  Server second(again, router, *metrics);
  const Status failed = second.start();
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().code, ErrorCode::unavailable);
  again.address = "not-an-address";
  EXPECT_EQ(Server(again, router, *metrics).start().error().code, ErrorCode::invalid);
  again = options;
  again.certificate_file = "/nonexistent/cert.pem";
  EXPECT_EQ(Server(again, router, *metrics).start().error().code, ErrorCode::invalid);
}

class TlsClient {
 public:
  explicit TlsClient(std::uint16_t port, int max_version = TLS1_3_VERSION)
      : raw_(port), context_(SSL_CTX_new(TLS_client_method())), ssl_(nullptr) {
    SSL_CTX_set_min_proto_version(context_, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context_, max_version);
    ssl_ = SSL_new(context_);
    SSL_set_fd(ssl_, raw_.fd());
    connected_ = SSL_connect(ssl_) == 1;
  }
  ~TlsClient() {
    SSL_free(ssl_);
    SSL_CTX_free(context_);
  }
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  bool connected() const { return connected_; }
  void send(const std::string& request) { SSL_write(ssl_, request.data(), static_cast<int>(request.size())); }
  std::string until_closed() {
    while (more()) {
    }
    return std::exchange(received_, {});
  }
  // What came up to and with `end`; all of it when the connection ended before.
  std::string until(std::string_view end) {
    std::size_t at;
    while ((at = received_.find(end)) == std::string::npos) {
      if (!more()) return std::exchange(received_, {});
    }
    std::string out = received_.substr(0, at + end.size());
    received_.erase(0, out.size());
    return out;
  }

 private:
  bool more() {
    char bytes[4096];
    const int n = SSL_read(ssl_, bytes, sizeof bytes);
    if (n > 0) received_.append(bytes, static_cast<std::size_t>(n));
    return n > 0;
  }
  RawClient raw_;
  SSL_CTX* context_;
  SSL* ssl_;
  bool connected_ = false;
  std::string received_;
};

// A self-signed certificate in a directory of its own.
class TlsServerTest : public ServerTest {
 protected:
  TlsServerTest()
      : directory_(std::filesystem::temp_directory_path() / ("tls-" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(directory_);
    options.certificate_file = directory_ / "cert.pem";
    options.key_file = directory_ / "key.pem";
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* certificate = X509_new();
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
    X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
    X509_sign(certificate, key, EVP_sha256());
    FILE* out = std::fopen(options.certificate_file.c_str(), "w");
    PEM_write_X509(out, certificate);
    std::fclose(out);
    out = std::fopen(options.key_file.c_str(), "w");
    PEM_write_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(out);
    X509_free(certificate);
    EVP_PKEY_free(key);
  }
  ~TlsServerTest() override {
    server.reset();
    std::filesystem::remove_all(directory_);
  }

  // The whole answer, or what TLS said instead.
  std::string ask_tls(const std::string& request, int max_version) {
    TlsClient client(server->port(), max_version);
    if (!client.connected()) return "no handshake";
    client.send(request);
    return client.until_closed();
  }

 private:
  std::filesystem::path directory_;
};

TEST_F(TlsServerTest, SpeaksTls12AndNewer) {
  start();
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const std::string answer =
        ask_tls(get("/fast/100000") + post("/echo", "{\"a\":1}", "Connection: close\r\n"), version);
    EXPECT_EQ(status_in(answer), 200);
    EXPECT_GT(answer.size(), 100'000u);
    EXPECT_TRUE(answer.ends_with("{\"a\":1}"));
  }
  EXPECT_EQ(ask_tls(get("/fast/1"), TLS1_1_VERSION), "no handshake");
}

// A ready answer is written before the request behind it is handled; over TLS that takes a moment in which
// others are served.
TEST_F(TlsServerTest, EveryoneGetsTheAnswersToTheirOwnRequests) {
  start();
  std::atomic<bool> stop = false;
  std::atomic<int> wrong = 0;
  const auto ask_all = [&](const std::string& name, const auto& go_on) {
    TlsClient client(server->port());
    const std::string end = "of-" + name;
    for (int round = 0; go_on(round); ++round) {
      client.send(get("/fast/10") + get("/item/of-" + name) + post("/echo", "echo-of-" + name));
      client.until(end);
      const std::string echoed = client.until(end);
      if (!echoed.ends_with("echo-of-" + name) || status_in(echoed.substr(echoed.find("HTTP"))) != 200) {
        ++wrong;
        return;
      }
    }
  };
  std::vector<std::thread> others;
  for (int i = 0; i < 3; ++i) {
    others.emplace_back([&, i] { ask_all("other-" + std::to_string(i), [&](int) { return !stop; }); });
  }
  ask_all("one", [&](int round) { return round < 300 && wrong == 0; });
  stop = true;
  for (std::thread& other : others) other.join();
  EXPECT_EQ(wrong, 0);
}

TEST_F(TlsServerTest, AHeadThatStopsBehindAReadyAnswerHasAHeadsTime) {
  options.head_time = milliseconds(200);
  options.idle_time = seconds(60);
  start();
  TlsClient client(server->port());
  client.send(get("/fast/10") + "GET /fast/10 HTTP/1.1\r\nHo");
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(status_in(client.until_closed()), 200);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 20s);
}

TEST_F(TlsServerTest, SmallReadyAnswersGoWhateverOthersHold) {
  options.buffered_answer_bytes = 10;
  start();
  const std::string closing = get("/fast/1000", "Connection: close\r\n");
  EXPECT_EQ(status_in(ask_tls(closing, TLS1_3_VERSION)), 200);
}

TEST_F(TlsServerTest, DropsClientsThatDoNotShakeHands) {
  options.handshake_time = milliseconds(200);
  start();
  RawClient silent(server->port()), plain(server->port());
  plain.send(get("/fast/1"));
  EXPECT_TRUE(plain.until_closed().has_value());
  EXPECT_EQ(silent.until_closed(3s), "");
}

}  // namespace
}  // namespace imprimatur::http
