// A game's own native module beside the runtime. JavaScript sees:
//
//   read(handle) → { closed, counters: { name: count } }      once, on this thread
//   new Sampler(handle, intervalUs)                           from now on, on a thread of its own
//     .take() → { intervals, closed, peaks, totals }          since the last call; by name, as above
//     .stop()
//
// Counts are numbers, exact up to 2^53. A handle is what server.nativeHandle() gives; anything else is
// a TypeError.
#include <napi.h>

#include <ggscale_transport.h>

#include <cmath>
#include <memory>
#include <vector>

#include "sampler.h"

namespace {

constexpr double kIntervalUsMax = 1e9;

// NULL and a pending exception when `value` is no handle, or one of another runtime.
const ggscale_endpoint *EndpointOf(Napi::Env env, Napi::Value value) {
  const ggscale_endpoint *endpoint = nullptr;
  switch (ggscale_endpoint_of(env, value, &endpoint)) {
    case GGSCALE_OK:
      return endpoint;
    case GGSCALE_BAD_ABI:
      Napi::Error::New(env, "neighbour: built for another version of @ggscale/transport")
          .ThrowAsJavaScriptException();
      return nullptr;
    default:
      Napi::TypeError::New(env, "neighbour: not a value of server.nativeHandle()")
          .ThrowAsJavaScriptException();
      return nullptr;
  }
}

// { name: figure(index) } of all counters.
template <typename Figure>
Napi::Object ByName(Napi::Env env, const ggscale_api *api, Figure figure) {
  Napi::Object named = Napi::Object::New(env);
  for (uint32_t i = 0; i < api->counter_count(); i++) {
    named.Set(api->counter_name(i), Napi::Number::New(env, static_cast<double>(figure(i))));
  }
  return named;
}

Napi::Value Read(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  const ggscale_endpoint *endpoint = EndpointOf(env, info[0]);
  if (endpoint == nullptr) return env.Undefined();
  const ggscale_api *api = endpoint->api;
  std::vector<uint64_t> values(api->counter_count());
  const ggscale_status status =
      api->read_counters(endpoint, values.data(), static_cast<uint32_t>(values.size()));
  Napi::Object result = Napi::Object::New(env);
  result.Set("closed", Napi::Boolean::New(env, status == GGSCALE_CLOSED));
  result.Set("counters", ByName(env, api, [&](uint32_t i) { return values[i]; }));
  return result;
}

class SamplerObject : public Napi::ObjectWrap<SamplerObject> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "Sampler",
                       {InstanceMethod<&SamplerObject::Take>("take"),
                        InstanceMethod<&SamplerObject::Stop>("stop")});
  }

  explicit SamplerObject(const Napi::CallbackInfo &info) : Napi::ObjectWrap<SamplerObject>(info) {
    const Napi::Env env = info.Env();
    const ggscale_endpoint *endpoint = EndpointOf(env, info[0]);
    if (endpoint == nullptr) return;
    const double interval_us = info[1].IsNumber() ? info[1].As<Napi::Number>() : std::nan("");
    if (!(interval_us >= 1 && interval_us <= kIntervalUsMax)) {
      Napi::RangeError::New(env, "neighbour: intervalUs must be from 1 to 1e9")
          .ThrowAsJavaScriptException();
      return;
    }
    api_ = endpoint->api;
    const auto interval = Sampler::Interval(static_cast<int64_t>(interval_us));
    sampler_ = std::make_unique<Sampler>(endpoint, interval);
  }

  // Runs when the object is collected and when the thread of JavaScript ends, and joins the sampler's
  // thread: nothing of this library may run once it is unloaded.
  ~SamplerObject() override = default;

 private:
  Napi::Value Take(const Napi::CallbackInfo &info) {
    const Napi::Env env = info.Env();
    const Sampler::Report report = sampler_->Take();
    const auto &figures = report.figures;
    Napi::Object result = Napi::Object::New(env);
    result.Set("intervals", Napi::Number::New(env, static_cast<double>(report.intervals)));
    result.Set("closed", Napi::Boolean::New(env, report.is_closed));
    result.Set("peaks", ByName(env, api_, [&](uint32_t i) { return figures[i].peak; }));
    result.Set("totals", ByName(env, api_, [&](uint32_t i) { return figures[i].total; }));
    return result;
  }

  void Stop(const Napi::CallbackInfo &) { sampler_->Stop(); }

  const ggscale_api *api_ = nullptr;
  std::unique_ptr<Sampler> sampler_;
};

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("read", Napi::Function::New<Read>(env, "read"));
  exports.Set("Sampler", SamplerObject::Define(env));
  return exports;
}

}  // namespace

NODE_API_MODULE(neighbour, Init)
