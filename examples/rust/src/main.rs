//! The volume control of examples/c in Rust: KSDISPATCH_LIB=/usr/local/lib cargo run -- -6 -12.5 3
mod ffi;

use ffi::*;
use std::ffi::{c_void, CStr};
use std::mem::size_of;
use std::sync::atomic::{AtomicI32, Ordering};

/// KSPROPSETID_Audio, and its KSPROPERTY_AUDIO_VOLUMELEVEL in units of 1/65536 dB.
const AUDIO: [u8; 16] = [0xa0, 0xaa, 0xff, 0x45, 0x1b, 0x6e, 0xd0, 0x11, 0xbc, 0xf2, 0x44, 0x45, 0x53, 0x54, 0x00, 0x00];
const VOLUME_LEVEL: u32 = 4;

/// level is what the item's context points to.
unsafe fn level<'a>(call: &ksd_call) -> &'a AtomicI32 {
    &*(call.context as *const AtomicI32)
}

/// A panic would end the process here, as it must not cross C.
unsafe extern "C" fn get(call: *mut ksd_call) -> ksd_status {
    let call = &mut *call;
    let value = level(call).load(Ordering::Relaxed);
    call.data.cast::<i32>().write_unaligned(value); // min_data has made sure that there is room
    call.information = 4;
    KSD_SUCCESS
}

unsafe extern "C" fn set(call: *mut ksd_call) -> ksd_status {
    let call = &mut *call;
    let value = call.data.cast::<i32>().read_unaligned();
    if !(-96 * 65536..=0).contains(&value) {
        return KSD_INVALID_PARAMETER;
    }
    level(call).store(value, Ordering::Relaxed);
    KSD_SUCCESS
}

fn request(handle: ksd_handle, verb: u32, value: &mut i32) -> ksd_status {
    let mut property = AUDIO.to_vec(); // KSPROPERTY
    property.extend(VOLUME_LEVEL.to_le_bytes());
    property.extend(verb.to_le_bytes());
    let value: *mut i32 = value;
    unsafe {
        ksd_ioctl(handle, KSD_IOCTL_PROPERTY, property.as_ptr().cast(), 24, value.cast(), 4, std::ptr::null_mut())
    }
}

fn main() {
    let level = AtomicI32::new(0);
    let item = ksd_item {
        size: size_of::<ksd_item>() as u32,
        id: VOLUME_LEVEL,
        min_property: 0,
        min_data: 4,
        get: Some(get),
        set: Some(set),
        support: None,
        context: &level as *const AtomicI32 as *mut c_void,
        kind: 0,
        flags: 0,
    };
    let sets = ksd_set { guid: AUDIO, items: &item, count: 1, item_size: size_of::<ksd_item>() as u32 };
    let mut err = [0; 256];
    let control = unsafe { ksd_object_new(&sets, 1, err.as_mut_ptr(), err.len()) };
    if control == 0 {
        eprintln!("{}", unsafe { CStr::from_ptr(err.as_ptr()) }.to_string_lossy());
        std::process::exit(1);
    }
    let handle = unsafe { ksd_open(control, std::ptr::null_mut(), 0) };
    for text in std::env::args().skip(1) {
        let mut value = (text.parse::<f64>().unwrap_or(f64::MAX) * 65536.0) as i32;
        let status = request(handle, KSD_SET, &mut value);
        request(handle, KSD_GET, &mut value);
        let name = unsafe { CStr::from_ptr(ksd_status_name(status)) }.to_string_lossy();
        println!("{text} dB: {name}; the level is {:.2} dB", f64::from(value) / 65536.0);
    }
    unsafe {
        ksd_close(handle);
        ksd_object_free(control); // level must be there until then
    }
}
