{
  "targets": [
    {
      "target_name": "neighbour",
      "sources": ["neighbour.cc", "sampler.cc"],
      "include_dirs": [
        # The header comes with the package; nothing of it is linked.
        "<!(node -p \"path.dirname(require.resolve('@ggscale/transport/ggscale_transport.h'))\")"
      ],
      "dependencies": ["<!(node -p \"require('node-addon-api').targets\"):node_addon_api"],
      "defines": ["NAPI_VERSION=8"],
      "cflags_cc": ["-std=c++17", "-Wall", "-Wextra", "-Werror"]
    }
  ]
}
