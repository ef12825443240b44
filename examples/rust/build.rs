// The folder of the library: KSDISPATCH_LIB=/usr/local/lib cargo run -- -6 3
fn main() {
    println!("cargo:rerun-if-env-changed=KSDISPATCH_LIB");
    if let Ok(dir) = std::env::var("KSDISPATCH_LIB") {
        println!("cargo:rustc-link-search={dir}");
        println!("cargo:rustc-link-arg=-Wl,-rpath,{dir}");
    }
    println!("cargo:rustc-link-lib=ksdispatch");
}
