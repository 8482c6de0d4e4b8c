/*
 * ggscale_transport.h: the C interface of @ggscale/transport, for native modules that live in the same
 * process. It tells the counters of a UDP endpoint, on any thread, without a call into JavaScript.
 *
 *   JavaScript    const handle = server.nativeHandle();   an opaque value; give it to your module
 *   your module   #include <node_api.h>
 *                 #include <ggscale_transport.h>
 *                 const ggscale_endpoint *endpoint;
 *                 if (ggscale_endpoint_of(env, handle, &endpoint) != GGSCALE_OK) ...throw...
 *                 endpoint->api->retain(endpoint);
 *   any thread    endpoint->api->read_counters(endpoint, values, count);
 *                 endpoint->api->release(endpoint);
 *
 * There is nothing to link with: every function is reached through the endpoint.
 *
 * Threads: every function of the table may be called on any thread at any time, from several at once,
 * and never waits for another thread: none takes a lock, none calls JavaScript.
 *
 * Lifetime: the endpoint that ggscale_endpoint_of gives lives as long as the JavaScript value. Whoever
 * keeps it longer retains it, and releases it once for each time. It outlives the server that it tells
 * of: what is read from then on is GGSCALE_CLOSED, and the figures are the last ones. Code and table
 * stay loaded until the process ends.
 *
 * Growth: fields of the table and counters are only ever added at the end; `size` tells how far a
 * runtime's table goes. What breaks this has another GGSCALE_ABI_VERSION.
 *
 * C11 or C++11. The part that knows Node needs <node_api.h> before it (NAPI_VERSION 8 or more).
 */
#ifndef GGSCALE_TRANSPORT_H_
#define GGSCALE_TRANSPORT_H_

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GGSCALE_ABI_VERSION 1u

/* What functions answer. */
typedef int32_t ggscale_status;

#define GGSCALE_OK 0
/* The endpoint is closed. What was to be written is written, with the last figures. */
#define GGSCALE_CLOSED 1
/* NULL where it must not be, or a value that is no handle. Nothing was written. */
#define GGSCALE_BAD_ARGUMENT 2
/* The runtime has another ABI version, or is older than this header. */
#define GGSCALE_BAD_ABI 3
/* A bug in the runtime. Nothing was written. */
#define GGSCALE_INTERNAL 4

typedef struct ggscale_endpoint ggscale_endpoint;

/* The functions of a runtime. */
typedef struct ggscale_api {
  uint32_t abi_version; /* GGSCALE_ABI_VERSION of the runtime; here in every version */
  uint32_t size;        /* bytes of the runtime's table; here in every version */

  /* How many counters there are. The same for all endpoints, until the process ends. */
  uint32_t (*counter_count)(void);

  /*
   * The name of a counter, kebab-case ASCII, zero-terminated; NULL from counter_count on. It lives until
   * the process ends. Look counters up by name: another version may have them at other places. Of those
   * that count lost datagrams, server.drops() has the same names and figures.
   */
  const char *(*counter_name)(uint32_t index);

  /*
   * Writes the first `count` counters, each the sum over the endpoint's I/O threads since it was opened;
   * those beyond counter_count become 0. The figures of one I/O thread are of one moment, that of its
   * last work. `values` may be NULL when `count` is 0: then only the answer tells something. 64-bit
   * counts do not wrap. Costs a copy of all counters for each I/O thread, which from the first handle on
   * also publishes them at the end of each piece of work.
   *
   * GGSCALE_OK, GGSCALE_CLOSED, GGSCALE_BAD_ARGUMENT, GGSCALE_INTERNAL
   */
  ggscale_status (*read_counters)(const ggscale_endpoint *endpoint, uint64_t *values, uint32_t count);

  /* Keeps the endpoint's memory until `release`. The caller has it alive already. NULL is ignored. */
  void (*retain)(const ggscale_endpoint *endpoint);

  /* Takes one `retain` back. The endpoint must not be used afterwards. NULL is ignored. */
  void (*release)(const ggscale_endpoint *endpoint);
} ggscale_api;

struct ggscale_endpoint {
  const ggscale_api *api;
  /* What follows is the runtime's. Never copy or make one. */
};

/* The type tag (napi_type_tag) of the values that server.nativeHandle() makes; the same in all versions. */
#define GGSCALE_TAG_LOWER UINT64_C(0x9d5a1f0e7c3b4862)
#define GGSCALE_TAG_UPPER UINT64_C(0x67677363616c6501)

#ifdef __cplusplus
}
#endif

#endif /* GGSCALE_TRANSPORT_H_ */

/* By itself, because a file may include this header before node_api.h, and once more behind it. */
#if !defined(GGSCALE_TRANSPORT_NODE_) && defined(NAPI_AUTO_LENGTH) && NAPI_VERSION >= 8
#define GGSCALE_TRANSPORT_NODE_

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The endpoint behind a value of server.nativeHandle(), on the thread of `env`. Never throws, and leaves
 * `*endpoint` NULL unless it is GGSCALE_OK. Values of other kinds and of other modules are refused.
 *
 * GGSCALE_OK (the endpoint may be closed), GGSCALE_BAD_ARGUMENT, GGSCALE_BAD_ABI
 */
static inline ggscale_status ggscale_endpoint_of(napi_env env, napi_value value,
                                                 const ggscale_endpoint **endpoint) {
  const napi_type_tag tag = {GGSCALE_TAG_LOWER, GGSCALE_TAG_UPPER};
  napi_valuetype type = napi_undefined;
  bool is_ours = false;
  void *data = 0;
  const ggscale_endpoint *found;
  *endpoint = 0;
  /* The kind first: a check of the tag would throw for what is no object. */
  if (napi_typeof(env, value, &type) != napi_ok || type != napi_object ||
      napi_check_object_type_tag(env, value, &tag, &is_ours) != napi_ok || !is_ours ||
      napi_unwrap(env, value, &data) != napi_ok || data == 0) {
    return GGSCALE_BAD_ARGUMENT;
  }
  found = (const ggscale_endpoint *)data;
  if (found->api->abi_version != GGSCALE_ABI_VERSION || found->api->size < sizeof(ggscale_api)) {
    return GGSCALE_BAD_ABI;
  }
  *endpoint = found;
  return GGSCALE_OK;
}

#ifdef __cplusplus
}
#endif

#endif /* GGSCALE_TRANSPORT_NODE_ */
