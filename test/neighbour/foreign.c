/* Values of another module that are no handles of ours, and what a neighbour in C says of them. */
#include <stddef.h>

#include <node_api.h>

#include <ggscale_transport.h>

static napi_value check(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value value;
  napi_value status;
  const ggscale_endpoint *endpoint;
  napi_get_cb_info(env, info, &count, &value, NULL, NULL);
  napi_create_int32(env, ggscale_endpoint_of(env, value, &endpoint), &status);
  return status;
}

/* A table as a runtime of another version, or an older one, would have it. */
static ggscale_api table;
static ggscale_endpoint endpoint = {&table};

static napi_value wrapped(napi_env env, int is_tagged, uint64_t lower) {
  const napi_type_tag tag = {lower, GGSCALE_TAG_UPPER};
  napi_value value;
  napi_create_object(env, &value);
  napi_wrap(env, value, &endpoint, NULL, NULL, NULL);
  if (is_tagged) napi_type_tag_object(env, value, &tag);
  return value;
}

/* forged(abiVersion, bytesMissing): an endpoint with our tag and another table. */
static napi_value forged(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value values[2];
  uint32_t missing = 0;
  napi_get_cb_info(env, info, &count, values, NULL, NULL);
  napi_get_value_uint32(env, values[0], &table.abi_version);
  napi_get_value_uint32(env, values[1], &missing);
  table.size = (uint32_t)sizeof(table) - missing;
  return wrapped(env, 1, GGSCALE_TAG_LOWER);
}

static napi_value tagged_object(napi_env env, napi_callback_info info) {
  const napi_type_tag tag = {GGSCALE_TAG_LOWER, GGSCALE_TAG_UPPER};
  napi_value value;
  (void)info;
  napi_create_object(env, &value);
  napi_type_tag_object(env, value, &tag);
  return value;
}

static napi_value tagged_external(napi_env env, napi_callback_info info) {
  const napi_type_tag tag = {GGSCALE_TAG_LOWER, GGSCALE_TAG_UPPER};
  napi_value value;
  (void)info;
  napi_create_external(env, &endpoint, NULL, NULL, &value);
  napi_type_tag_object(env, value, &tag);
  return value;
}

NAPI_MODULE_INIT() {
  napi_value function;
  napi_create_function(env, "check", NAPI_AUTO_LENGTH, check, NULL, &function);
  napi_set_named_property(env, exports, "check", function);
  napi_create_function(env, "forged", NAPI_AUTO_LENGTH, forged, NULL, &function);
  napi_set_named_property(env, exports, "forged", function);
  napi_create_function(env, "taggedObject", NAPI_AUTO_LENGTH, tagged_object, NULL, &function);
  napi_set_named_property(env, exports, "taggedObject", function);
  napi_create_function(env, "taggedExternal", NAPI_AUTO_LENGTH, tagged_external, NULL, &function);
  napi_set_named_property(env, exports, "taggedExternal", function);
  napi_set_named_property(env, exports, "untagged", wrapped(env, 0, 0));
  napi_set_named_property(env, exports, "otherTag", wrapped(env, 1, GGSCALE_TAG_LOWER + 1));
  return exports;
}
