{
  # npm runs this for an install from source: the addon is Rust, so the one action calls the cargo build.
  "targets": [
    {
      "target_name": "ggscale-transport-addon",
      "type": "none",
      "actions": [
        {
          "action_name": "cargo-build",
          "inputs": ["scripts/build-addon.mjs"],
          # Never written: cargo itself knows what is stale, so the action runs every time.
          "outputs": ["<(INTERMEDIATE_DIR)/always"],
          "action": ["node", "scripts/build-addon.mjs", "--install"]
        }
      ]
    }
  ]
}
