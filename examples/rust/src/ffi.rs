//! What is used here of ksdispatch.h, bound by hand.
#![allow(non_camel_case_types)]
use std::ffi::{c_char, c_void};

pub type ksd_object = u64;
pub type ksd_handle = u64;
pub type ksd_status = i32;
pub type ksd_handler = Option<unsafe extern "C" fn(*mut ksd_call) -> ksd_status>;

pub const KSD_SUCCESS: ksd_status = 0;
pub const KSD_INVALID_PARAMETER: ksd_status = 0xc000000d_u32 as i32;
pub const KSD_IOCTL_PROPERTY: u32 = 0x002f0003;
pub const KSD_GET: u32 = 1;
pub const KSD_SET: u32 = 2;

#[repr(C)]
pub struct ksd_call {
    pub size: u32,
    pub verb: u32,
    pub context: *mut c_void,
    pub file: *mut c_void,
    pub handle: ksd_handle,
    pub request: *const u8,
    pub data: *mut u8,
    pub request_len: u32,
    pub data_len: u32,
    pub information: u64,
    pub token: u64,
}

#[repr(C)]
pub struct ksd_item {
    pub size: u32,
    pub id: u32,
    pub min_property: u32,
    pub min_data: u32,
    pub get: ksd_handler,
    pub set: ksd_handler,
    pub support: ksd_handler,
    pub context: *mut c_void,
    pub kind: u32,
    pub flags: u32,
}

#[repr(C)]
pub struct ksd_set {
    pub guid: [u8; 16],
    pub items: *const ksd_item,
    pub count: u32,
    pub item_size: u32,
}

extern "C" {
    pub fn ksd_status_name(status: ksd_status) -> *const c_char;
    pub fn ksd_object_new(sets: *const ksd_set, count: u32, err: *mut c_char, err_len: usize) -> ksd_object;
    pub fn ksd_object_free(object: ksd_object);
    pub fn ksd_open(object: ksd_object, file: *mut c_void, flags: u32) -> ksd_handle;
    pub fn ksd_close(handle: ksd_handle);
    pub fn ksd_ioctl(handle: ksd_handle, code: u32, input: *const c_void, input_len: u32, output: *mut c_void, output_len: u32,
                     returned: *mut u32) -> ksd_status;
}
