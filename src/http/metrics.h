// Counters of the server, one block a thread, each written by its own thread only.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace imprimatur::http {

// A counter with one writer: no locked instruction, readable from anywhere.
class Counter {
 public:
  void add(std::uint64_t n = 1) { value_.store(get() + n, std::memory_order_relaxed); }
  std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

// Upper bounds in microseconds; one more bucket takes the rest.
inline constexpr std::array<std::uint64_t, 12> kLatencyBounds{
    250, 500, 1'000, 2'500, 5'000, 10'000, 25'000, 100'000, 250'000, 500'000, 1'000'000, 5'000'000};

struct alignas(128) ThreadMetrics {
  std::array<Counter, 6> fast_by_class;  // answered on the I/O thread, by hundreds of the status
  std::array<Counter, 6> by_class;       // answered by handlers
  std::array<Counter, kLatencyBounds.size() + 1> latency;
  Counter latency_micros;
  Counter refused;    // before any handler: bad framing, limits
  Counter timed_out;  // connections dropped by a deadline
  Counter overloaded;
  Counter connections_opened, connections_closed, connections_turned_away;
  Counter bytes_sent;

  void handled(int status, std::uint64_t micros);
};

class Metrics {
 public:
  explicit Metrics(std::size_t threads);
  ThreadMetrics& thread(std::size_t index) { return *threads_[index]; }
  // More lines for /metrics, in the text format of Prometheus. Only before the server starts.
  void add_source(std::function<void(std::string&)> source) { sources_.push_back(std::move(source)); }
  std::string render() const;
  std::uint64_t open_connections() const;

 private:
  std::vector<std::unique_ptr<ThreadMetrics>> threads_;
  std::vector<std::function<void(std::string&)>> sources_;
};

}  // namespace imprimatur::http
