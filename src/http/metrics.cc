#include "http/metrics.h"

#include <algorithm>
#include <string_view>

namespace imprimatur::http {
namespace {

void describe(std::string& out, std::string_view name, std::string_view kind, std::string_view about) {
  out.append("# HELP ").append(name).append(" ").append(about).append("\n# TYPE ").append(name).append(" ");
  out.append(kind).append("\n");
}

void sample(std::string& out, std::string_view name, std::string_view labels, std::uint64_t value) {
  out.append(name).append(labels).append(" ").append(std::to_string(value)).append("\n");
}

std::string seconds_text(std::uint64_t micros) {
  std::string text = std::to_string(micros % 1'000'000);
  text.insert(0, 6 - text.size(), '0');
  return std::to_string(micros / 1'000'000) + "." + text;
}

}  // namespace

void ThreadMetrics::handled(int status, std::uint64_t micros) {
  by_class[static_cast<std::size_t>(std::clamp(status / 100, 0, 5))].add();
  const auto bucket =
      std::lower_bound(kLatencyBounds.begin(), kLatencyBounds.end(), micros) - kLatencyBounds.begin();
  latency[static_cast<std::size_t>(bucket)].add();
  latency_micros.add(micros);
}

Metrics::Metrics(std::size_t threads) {
  for (std::size_t i = 0; i < threads; ++i) threads_.push_back(std::make_unique<ThreadMetrics>());
}

std::uint64_t Metrics::open_connections() const {
  std::uint64_t total = 0;
  for (const auto& thread : threads_)
    total += thread->connections_opened.get() - thread->connections_closed.get();
  return total;
}

std::string Metrics::render() const {
  const auto sum = [&](auto member) {
    std::uint64_t total = 0;
    for (const auto& thread : threads_) total += member(*thread).get();
    return total;
  };
  std::string out;
  describe(out, "imprimatur_http_requests_total", "counter",
           "Requests answered, by path through the server and status.");
  for (std::size_t i = 1; i < 6; ++i) {
    const std::string status = "\",status=\"" + std::to_string(i) + "xx\"}";
    sample(out, "imprimatur_http_requests_total", "{path=\"runtime" + status,
           sum([&](auto& thread) -> auto& { return thread.fast_by_class[i]; }));
    sample(out, "imprimatur_http_requests_total", "{path=\"handler" + status,
           sum([&](auto& thread) -> auto& { return thread.by_class[i]; }));
  }
  const std::string latency = "imprimatur_http_handler_seconds";
  describe(out, latency, "histogram", "Time from a complete request to its handler's answer.");
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i <= kLatencyBounds.size(); ++i) {
    seen += sum([&](auto& thread) -> auto& { return thread.latency[i]; });
    const std::string bound = i < kLatencyBounds.size() ? seconds_text(kLatencyBounds[i]) : "+Inf";
    sample(out, latency + "_bucket", "{le=\"" + bound + "\"}", seen);
  }
  out += latency + "_sum " + seconds_text(sum([](auto& thread) -> auto& { return thread.latency_micros; })) +
         "\n";
  sample(out, latency + "_count", "", seen);
  const auto counter = [&](std::string_view name, std::string_view about, auto member) {
    describe(out, name, "counter", about);
    sample(out, name, "", sum(member));
  };
  counter(
      "imprimatur_http_refused_total", "Requests refused before any handler.",
      [](auto& thread) -> auto& { return thread.refused; });
  counter(
      "imprimatur_http_timed_out_total", "Connections dropped by a deadline.",
      [](auto& thread) -> auto& { return thread.timed_out; });
  counter(
      "imprimatur_http_overloaded_total", "Requests answered 503 because a queue or a budget was full.",
      [](auto& thread) -> auto& { return thread.overloaded; });
  counter(
      "imprimatur_http_connections_total", "Connections accepted.",
      [](auto& thread) -> auto& { return thread.connections_opened; });
  counter(
      "imprimatur_http_connections_turned_away_total", "Connections closed at once because of the limit.",
      [](auto& thread) -> auto& { return thread.connections_turned_away; });
  counter(
      "imprimatur_http_sent_bytes_total", "Bytes of answers.",
      [](auto& thread) -> auto& { return thread.bytes_sent; });
  describe(out, "imprimatur_http_connections", "gauge", "Connections open now.");
  sample(out, "imprimatur_http_connections", "", open_connections());
  for (const auto& source : sources_) source(out);
  return out;
}

}  // namespace imprimatur::http
