// Looks at the counters of an endpoint at short intervals, on a thread of its own: JavaScript that is
// busy, or stopped by its garbage collector, does not blind it. Knows nothing of Node.
#pragma once

#include <ggscale_transport.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

class Sampler {
 public:
  using Interval = std::chrono::microseconds;

  // Of one counter: the most that was counted in one interval, and all since the endpoint was opened.
  struct Figure {
    uint64_t peak = 0;
    uint64_t total = 0;
  };

  struct Report {
    uint64_t intervals = 0;
    // Nothing will change any more.
    bool is_closed = false;
    // By the index of the counter.
    std::vector<Figure> figures;
  };

  Sampler(const ggscale_endpoint *endpoint, Interval interval);
  ~Sampler();
  Sampler(const Sampler &) = delete;
  Sampler &operator=(const Sampler &) = delete;

  // What has come since the last call.
  Report Take();

  // Ends the thread. What it saw can still be taken.
  void Stop();

 private:
  void Run();
  // One look at the counters; false once there will be no more to see.
  bool Look();

  const ggscale_endpoint *const endpoint_;
  const Interval interval_;
  // Of the sampling thread alone.
  std::vector<uint64_t> now_;
  std::mutex mutex_;
  std::condition_variable stopped_;
  // Behind the mutex.
  bool is_stopped_ = false;
  Report report_;
  std::thread thread_;
};
