// Shared state that cannot be reached without its lock, and whole values replaced by pointer swap.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

namespace imprimatur {

template <class T>
class Sync {
 public:
  template <class... Args>
  explicit Sync(Args&&... args) : value_(std::forward<Args>(args)...) {}

  class Lock {
   public:
    T* operator->() { return value_; }
    T& operator*() { return *value_; }
    // For condition variables; the lock is held whenever a member is touched.
    std::unique_lock<std::mutex>& raw() { return lock_; }

   private:
    friend class Sync;
    Lock(std::mutex& mutex, T* value) : lock_(mutex), value_(value) {}
    std::unique_lock<std::mutex> lock_;
    T* value_;
  };

  Lock lock() { return Lock(mutex_, &value_); }
  Lock lock() const { return Lock(mutex_, const_cast<T*>(&value_)); }

 private:
  mutable std::mutex mutex_;
  T value_;
};

// A published immutable value. Writers swap the whole; a reader that keeps a Reader per thread touches only
// its own memory and one counter that changes when somebody publishes, so readers share no written line.
template <class T>
class Published {
 public:
  explicit Published(std::shared_ptr<const T> first) : current_(std::move(first)) {}

  void publish(std::shared_ptr<const T> next) {
    std::shared_ptr<const T> previous;  // destroyed outside the lock
    {
      std::lock_guard guard(mutex_);
      previous = std::exchange(current_, std::move(next));
      generation_.fetch_add(1, std::memory_order_release);
    }
  }

  std::shared_ptr<const T> get() const {
    std::lock_guard guard(mutex_);
    return current_;
  }

  std::uint64_t generation() const { return generation_.load(std::memory_order_acquire); }

  // One per thread; not itself thread-safe. Sees a publish at the next call of get().
  class Reader {
   public:
    explicit Reader(const Published& source) : source_(&source) { refresh(); }

    const T& get() {
      if (source_->generation() != seen_) [[unlikely]]
        refresh();
      return *held_;
    }

   private:
    void refresh() {
      std::lock_guard guard(source_->mutex_);
      held_ = source_->current_;
      seen_ = source_->generation_.load(std::memory_order_relaxed);
    }
    const Published* source_;
    std::shared_ptr<const T> held_;
    std::uint64_t seen_ = 0;
  };

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const T> current_;
  alignas(64) std::atomic<std::uint64_t> generation_{1};
};

}  // namespace imprimatur
