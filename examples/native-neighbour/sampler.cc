#include "sampler.h"

#include <algorithm>

Sampler::Sampler(const ggscale_endpoint *endpoint, Interval interval)
    : endpoint_(endpoint), interval_(interval), now_(endpoint->api->counter_count()) {
  // JavaScript may drop its value while the thread still reads.
  endpoint_->api->retain(endpoint_);
  report_.figures.resize(now_.size());
  // The peaks begin here, not at zero.
  endpoint_->api->read_counters(endpoint_, now_.data(), static_cast<uint32_t>(now_.size()));
  for (size_t i = 0; i < now_.size(); i++) report_.figures[i].total = now_[i];
  thread_ = std::thread([this] { Run(); });
}

Sampler::~Sampler() {
  Stop();
  endpoint_->api->release(endpoint_);
}

Sampler::Report Sampler::Take() {
  const std::lock_guard<std::mutex> lock(mutex_);
  Report taken = report_;
  report_.intervals = 0;
  for (Figure &figure : report_.figures) figure.peak = 0;
  return taken;
}

void Sampler::Stop() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    is_stopped_ = true;
  }
  stopped_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Sampler::Run() {
  auto at = std::chrono::steady_clock::now();
  do {
    // On a schedule, so that the intervals are as long as they should be; what was missed is skipped.
    at = std::max(at + interval_, std::chrono::steady_clock::now());
    std::unique_lock<std::mutex> lock(mutex_);
    if (stopped_.wait_until(lock, at, [this] { return is_stopped_; })) return;
  } while (Look());
}

bool Sampler::Look() {
  const auto count = static_cast<uint32_t>(now_.size());
  const ggscale_status status = endpoint_->api->read_counters(endpoint_, now_.data(), count);
  if (status != GGSCALE_OK && status != GGSCALE_CLOSED) return false;
  const std::lock_guard<std::mutex> lock(mutex_);
  report_.intervals++;
  report_.is_closed = status == GGSCALE_CLOSED;
  for (size_t i = 0; i < now_.size(); i++) {
    Figure &figure = report_.figures[i];
    figure.peak = std::max(figure.peak, now_[i] - figure.total);
    figure.total = now_[i];
  }
  return !report_.is_closed;
}
