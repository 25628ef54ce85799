// A bounded queue of jobs and the threads that run them: where synchronous handlers may block.
#pragma once

#include "base/sync.h"

#include <condition_variable>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

namespace imprimatur::http {

class WorkerPool {
 public:
  WorkerPool(std::size_t threads, std::size_t queue_limit);
  // Runs what was accepted, then joins.
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // False when the queue is full; the job is then untouched. Safe from any thread. Jobs must not throw.
  bool submit(std::function<void()> job);

 private:
  struct State {
    std::deque<std::function<void()>> jobs;
    bool stopping = false;
  };
  void run();

  const std::size_t queue_limit_;
  Sync<State> state_;
  std::condition_variable ready_;
  std::vector<std::thread> threads_;
};

}  // namespace imprimatur::http
