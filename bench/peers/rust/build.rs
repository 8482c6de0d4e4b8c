//! ENet by its own headers: the shim is compiled against them, so that no structure is described twice.

fn main() {
    #[cfg(feature = "enet")]
    {
        println!("cargo:rerun-if-changed=shim/enet.c");
        cc::Build::new()
            .file("shim/enet.c")
            .opt_level(2)
            .compile("ggscale_peers_enet");
        println!("cargo:rustc-link-lib=enet");
    }
}
