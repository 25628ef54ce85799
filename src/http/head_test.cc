#include "http/head.h"

#include <random>

#include <gtest/gtest.h>

namespace imprimatur::http {
namespace {

struct Scanned {
  Scan scan;
  Head head;
  Refusal refusal;
};

Scanned scan(std::string_view bytes, const HeadLimits& limits = {}) {
  Scanned out{};
  out.scan = scan_head(bytes, limits, out.head, out.refusal);
  return out;
}

// A request with these lines between the request line and the blank line.
std::string with(std::string_view lines) {
  return "POST /a HTTP/1.1\r\nHost: h\r\n" + std::string(lines) + "\r\n";
}

TEST(Head, ReadsWhatMatters) {
  const std::string bytes =
      "GET /a%2Fb/c?x=1?y HTTP/1.1\r\nhOST:h\r\nAuthorization: \t Bearer imp_x \t\r\nIf-None-Match: \"a\"\r\n"
      "X-Request-ID: abc\r\nEmpty:\r\n\r\nrest";
  const auto out = scan(bytes);
  ASSERT_EQ(out.scan, Scan::complete) << out.refusal.detail;
  EXPECT_EQ(out.head.method, Method::get);
  EXPECT_EQ(out.head.path, "/a%2Fb/c");
  EXPECT_EQ(out.head.query, "x=1?y");
  EXPECT_EQ(out.head.authorization, "Bearer imp_x");
  EXPECT_EQ(out.head.if_none_match, "\"a\"");
  EXPECT_EQ(out.head.request_id, "abc");
  EXPECT_EQ(out.head.field_count, 5u);
  EXPECT_EQ(bytes.substr(out.head.size), "rest");
  EXPECT_TRUE(out.head.keep_alive);
  EXPECT_FALSE(out.head.has_body());
}

TEST(Head, EveryPrefixIsIncompleteAndNothingElse) {
  const std::string bytes =
      with("Content-Length: 5\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n");
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    EXPECT_EQ(scan(std::string_view(bytes).substr(0, n)).scan, Scan::incomplete) << n;
  }
  const auto out = scan(bytes);
  ASSERT_EQ(out.scan, Scan::complete);
  EXPECT_EQ(out.head.content_length, 5u);
  EXPECT_TRUE(out.head.expects_continue);
}

TEST(Head, RefusesWhatTwoParsersCouldReadDifferently) {
  const std::pair<std::string, int> table[] = {
      {with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), 400},
      {with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), 400},
      {with("Content-Length: 5\r\nContent-Length: 5\r\n"), 400},
      {with("Content-Length: 5\r\nContent-Length: 6\r\n"), 400},
      {with("Content-Length: 5, 5\r\n"), 400},
      {with("Content-Length: +5\r\n"), 400},
      {with("Content-Length: -5\r\n"), 400},
      {with("Content-Length: 0x5\r\n"), 400},
      {with("Content-Length: 5 5\r\n"), 400},
      {with("Content-Length:\r\n"), 400},
      {with("Content-Length: 99999999999999999999\r\n"), 400},
      {with("Transfer-Encoding: gzip, chunked\r\n"), 501},
      {with("Transfer-Encoding: chunked, chunked\r\n"), 501},
      {with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 501},
      {with("Transfer-Encoding: identity\r\n"), 501},
      {with("Transfer-Encoding:\r\n"), 501},
      {with("Transfer-Encoding: \x0b"
            "chunked\r\n"),
       400},
      {"POST /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 501},
      {with("Transfer-Encoding : chunked\r\n"), 400},
      {with("Content-Length : 5\r\n"), 400},
      {with("X: a\r\n folded\r\n"), 400},
      {with("X: a\r\n\tfolded\r\n"), 400},
      {"POST /a HTTP/1.1\r\n Host: h\r\n\r\n", 400},
      {with("X: a\nY: b\r\n"), 400},
      {"GET /a HTTP/1.1\nHost: h\n\n", 400},
      {"GET /a HTTP/1.1\r\nHost: h\r\n\n", 400},
      {"GET /a HTTP/1.1\r\nHost: h\r\n\rX", 400},
      {with("X: a\rY: b\r\n"), 400},
      {with(std::string("X: a\0b\r\n", 8)), 400},
      {with("X: a\x01\r\n"), 400},
      {with("X: a\x7f\r\n"), 400},
      {with("X\x80: a\r\n"), 400},
      {with(": a\r\n"), 400},
      {with("no colon\r\n"), 400},
      {with("(X): a\r\n"), 400},
      {with("Host: h\r\n"), 400},
      {"GET /a HTTP/1.1\r\nHost:\r\n\r\n", 400},
      {"GET /a HTTP/1.1\r\n\r\n", 400},
      {with("Authorization: a\r\nAuthorization: b\r\n"), 400},
      {with("Content-Type: a\r\nContent-Type: b\r\n"), 400},
      {with("Expect: 200-ok\r\n"), 417},
      {"GET http://h/a HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"GET  /a HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"GET /a  HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"GET /a HTTP/1.1 \r\nHost: h\r\n\r\n", 400},
      {"GET\t/a HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"GET /a b HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"GET /a#f HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {"GET /\xc3\xa4 HTTP/1.1\r\nHost: h\r\n\r\n", 400},
      {std::string("GET /\0 HTTP/1.1\r\nHost: h\r\n\r\n", 29), 400},
      {"GET /a\r\n\r\n", 400},
      {"GET /a HTTP/2.0\r\nHost: h\r\n\r\n", 505},
      {"GET /a HTTP/1.2\r\nHost: h\r\n\r\n", 505},
      {"GET /a HTTP/1.\r\nHost: h\r\n\r\n", 400},
      {"GET /a http/1.1\r\nHost: h\r\n\r\n", 400},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400},
      {"\x16\x03\x01\x02", 400},
      {"G@T /a HTTP/1.1\r\n\r\n", 400},
      {" GET /a HTTP/1.1\r\n\r\n", 400},
      {"\n\nGET /a HTTP/1.1\r\n\r\n", 400},
  };
  for (const auto& [bytes, status] : table) {
    const auto out = scan(bytes);
    EXPECT_EQ(out.scan, Scan::refused) << bytes;
    EXPECT_EQ(out.refusal.status, status) << bytes << " " << out.refusal.detail;
    EXPECT_FALSE(out.refusal.detail.empty());
  }
}

TEST(Head, LimitsHaveTheirOwnStatus) {
  const HeadLimits limits{.head_bytes = 200, .target_bytes = 50, .fields = 3};
  EXPECT_EQ(scan("GET /" + std::string(50, 'a') + " HTTP/1.1\r\nHost: h\r\n\r\n", limits).refusal.status,
            414);
  EXPECT_EQ(scan("GET /" + std::string(60, 'a'), limits).refusal.status, 414)
      << "without waiting for the rest";
  EXPECT_EQ(scan(with("A: " + std::string(200, 'a') + "\r\n"), limits).refusal.status, 431);
  EXPECT_EQ(scan("GET / HTTP/1.1\r\nHost: " + std::string(200, 'h'), limits).refusal.status, 431);
  EXPECT_EQ(scan(with("A: 1\r\nB: 2\r\n"), limits).scan, Scan::complete);
  EXPECT_EQ(scan(with("A: 1\r\nB: 2\r\nC: 3\r\n"), limits).refusal.status, 431);
  EXPECT_EQ(scan(std::string(40, 'A'), limits).refusal.status, 400) << "no method is that long";
}

TEST(Head, ConnectionAndVersions) {
  EXPECT_FALSE(scan(with("Connection: Close\r\n")).head.keep_alive);
  EXPECT_FALSE(scan(with("Connection: keep-alive , close\r\n")).head.keep_alive);
  EXPECT_TRUE(scan(with("Connection: upgrade\r\n")).head.keep_alive);
  EXPECT_FALSE(scan("GET / HTTP/1.0\r\n\r\n").head.keep_alive);
  EXPECT_TRUE(scan("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").head.keep_alive);
  EXPECT_EQ(scan("\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n").head.size, 29u);
  EXPECT_EQ(scan("BREW / HTTP/1.1\r\nHost: h\r\n\r\n").head.method, Method::other);
}

// Whatever comes: every view lies in the input, a head that is complete stays so with more behind it, and
// what was refused is never taken after more bytes have come.
TEST(Head, HoldsForMutatedRequests) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  const std::string seeds[] = {
      "GET /a%2Fb?x=1 HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer imp_x\r\nIf-None-Match: \"a\"\r\n\r\n",
      "POST /a HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n{}",
      "POST /a HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\nConnection: close, x\r\n\r\n0\r\n\r\n"};
  const std::string odd = std::string("\0\r\n \t:%#\x7f\x80\xff/?,", 15);
  for (int round = 0; round < 30'000; ++round) {
    std::string bytes = seeds[below(std::size(seeds))];
    for (std::size_t edit = below(4); edit > 0; --edit) {
      const std::size_t at = below(bytes.size());
      const char c = below(2) == 0 ? odd[below(odd.size())] : static_cast<char>(below(256));
      switch (below(3)) {
        case 0: bytes[at] = c; break;
        case 1: bytes.insert(at, 1, c); break;
        case 2: bytes.erase(at, 1 + below(3)); break;
      }
      if (bytes.empty()) bytes = "G";
    }
    const auto whole = scan(bytes);
    const char* const end = bytes.data() + bytes.size();
    for (std::size_t i = 0; whole.scan == Scan::complete && i < whole.head.field_count; ++i) {
      const Field& field = whole.head.fields[i];
      ASSERT_TRUE(field.name.data() >= bytes.data() && field.value.data() + field.value.size() <= end);
      ASSERT_EQ(field.value.find_first_of(std::string_view("\r\n\0", 3)), std::string_view::npos);
    }
    if (whole.scan == Scan::complete) {
      ASSERT_TRUE(whole.head.size <= bytes.size() && bytes.substr(0, whole.head.size).ends_with("\r\n\r\n"));
      ASSERT_FALSE(whole.head.chunked && whole.head.content_length);
      ASSERT_EQ(scan(bytes + "GET").scan, Scan::complete);
    }
    const auto part = scan(std::string_view(bytes).substr(0, below(bytes.size())));
    ASSERT_TRUE(part.scan != Scan::refused || whole.scan == Scan::refused) << bytes;
  }
}

}  // namespace
}  // namespace imprimatur::http
