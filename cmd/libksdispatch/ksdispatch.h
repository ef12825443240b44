/* ksdispatch.h: Kernel Streaming objects in user space, for C and C++.

   An object answers what a driver's device object would: KSPROPERTY, KSMETHOD and KSEVENT requests, with the statuses, sizes and
   bytes of Windows. A program makes one from the description of a driver, from tables of its own with function pointers, or both,
   opens it, and sends requests to the handle as with DeviceIoControl:

       char err[256];
       ksd_object speaker = ksd_object_from_driver("wds-sysvad", NULL, NULL, 0, err, sizeof err);
       ksd_handle h = ksd_open(speaker, NULL, 0);
       ksd_status s = ksd_ioctl(h, KSD_IOCTL_PROPERTY, request, sizeof request, value, sizeof value, &returned);

   What holds everywhere:

   Numbers   Objects, handles, ports and tokens are numbers, and 0 is none. A number that is stale, foreign or made up is refused
             with KSD_INVALID_HANDLE, never followed.
   Threads   Every function may be called from any thread, by any number of threads at once, unless it says otherwise.
   Memory    Lengths are in bytes. A function reads and writes what it is given before it returns, and keeps no pointer but
             handlers, contexts and, for requests in flight, the caller's two buffers. A NULL buffer goes with the length 0, and
             a buffer of the length 0 is not looked at. Contexts may be any numbers.
   Strings   are UTF-8 with a terminating 0.
   Growth    Structures begin with their size, which the caller sets, so that later versions can add members at the end.
   Process   The library contains Go's runtime: it cannot be unloaded, and a child of fork() must not use it before exec(). */
#ifndef KSDISPATCH_H
#define KSDISPATCH_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(KSD_BUILD) && defined(_WIN32)
#define KSD_API __declspec(dllexport)
#elif defined(KSD_BUILD)
#define KSD_API __attribute__((visibility("default")))
#else
#define KSD_API
#endif

/* The version of this interface. Additions do not change it; whatever would break a compiled program does. */
#define KSD_ABI 1

typedef uint64_t ksd_object; /* what programs open: one set of tables, or a filter with its nodes and pins */
typedef uint64_t ksd_handle; /* one open of an object, or a pin */
typedef uint64_t ksd_port;   /* where ends of requests are queued */
typedef int32_t ksd_status;  /* NTSTATUS: 0 is success; negative numbers are errors, positive ones answers of their own kind */

/* ksd_abi returns the KSD_ABI that the library was built with. */
KSD_API uint32_t ksd_abi(void);

/* ---- Statuses --------------------------------------------------------------------------------------------------------------- */

#ifdef __cplusplus
#define KSD_STATUS(number) static_cast<ksd_status>(number)
#else
#define KSD_STATUS(number) ((ksd_status)(number))
#endif

#define KSD_SUCCESS KSD_STATUS(0)
#define KSD_PENDING KSD_STATUS(0x00000103)
#define KSD_BUFFER_OVERFLOW KSD_STATUS(0x80000005) /* a warning: the answer to a question for a size, which is in returned */
#define KSD_NO_MORE_ENTRIES KSD_STATUS(0x8000001a)
#define KSD_UNSUCCESSFUL KSD_STATUS(0xc0000001)
#define KSD_NOT_IMPLEMENTED KSD_STATUS(0xc0000002)
#define KSD_ACCESS_VIOLATION KSD_STATUS(0xc0000005)
#define KSD_INVALID_HANDLE KSD_STATUS(0xc0000008)
#define KSD_INVALID_PARAMETER KSD_STATUS(0xc000000d)
#define KSD_INVALID_DEVICE_REQUEST KSD_STATUS(0xc0000010)
#define KSD_ACCESS_DENIED KSD_STATUS(0xc0000022)
#define KSD_BUFFER_TOO_SMALL KSD_STATUS(0xc0000023)
#define KSD_INSUFFICIENT_RESOURCES KSD_STATUS(0xc000009a)
#define KSD_OBJECT_NAME_NOT_FOUND KSD_STATUS(0xc0000034)
#define KSD_DEVICE_NOT_READY KSD_STATUS(0xc00000a3)
#define KSD_NOT_SUPPORTED KSD_STATUS(0xc00000bb)
#define KSD_CANCELLED KSD_STATUS(0xc0000120)
#define KSD_INVALID_DEVICE_STATE KSD_STATUS(0xc0000184)
#define KSD_INVALID_BUFFER_SIZE KSD_STATUS(0xc0000206)
#define KSD_NOT_FOUND KSD_STATUS(0xc0000225)
#define KSD_PROPSET_NOT_FOUND KSD_STATUS(0xc0000230)
#define KSD_NO_MATCH KSD_STATUS(0xc0000272)
#define KSD_DEVICE_BUSY KSD_STATUS(0x80000011)
#define KSD_DEVICE_REMOVED KSD_STATUS(0xc00002b6)

/* ksd_status_name returns the name of a status, "STATUS_NOT_FOUND", or "" for a number that has none. The text is static. */
KSD_API const char *ksd_status_name(ksd_status status);

/* ksd_win32 returns what GetLastError would say after a request that ended with status: RtlNtStatusToDosError. */
KSD_API uint32_t ksd_win32(ksd_status status);

/* ---- Control codes and verbs ------------------------------------------------------------------------------------------------ */

#define KSD_IOCTL_PROPERTY 0x002f0003u
#define KSD_IOCTL_ENABLE_EVENT 0x002f0007u
#define KSD_IOCTL_DISABLE_EVENT 0x002f000bu
#define KSD_IOCTL_METHOD 0x002f000fu

#define KSD_GET 0x00000001u          /* KSPROPERTY_TYPE_GET */
#define KSD_SET 0x00000002u          /* KSPROPERTY_TYPE_SET */
#define KSD_BASIC_SUPPORT 0x00000200u /* KSPROPERTY_TYPE_BASICSUPPORT */

/* ---- Handlers --------------------------------------------------------------------------------------------------------------- */

/* A ksd_call is one request on its way through a handler. It belongs to the library, and is the handler's until the handler
   returns, or, if the handler returns KSD_PENDING, until ksd_complete is called or the request is cancelled. */
typedef struct ksd_call {
	uint32_t size;          /* sizeof(ksd_call) of the library */
	uint32_t verb;          /* the flags of the identifier without TOPOLOGY: KSD_GET, KSD_SET, a support verb, or method flags */
	void *context;          /* of the item */
	void *file;             /* what ksd_open was given */
	ksd_handle handle;      /* that the request was sent to */
	const uint8_t *request; /* the identifier, KSPROPERTY, KSMETHOD or KSEVENT, and what follows it: a copy that nobody changes */
	uint8_t *data;          /* the value: the caller's for KSD_SET, zeros to be filled for KSD_GET; NULL if data_len is 0 */
	uint32_t request_len;
	uint32_t data_len;
	uint64_t information;   /* out: how many bytes data holds, or would need with KSD_BUFFER_OVERFLOW; 0 before the handler */
	uint64_t token;         /* of this request, for ksd_complete */
} ksd_call;

/* A ksd_handler answers one request with its status. It runs on the thread that sent the request, with no lock of the library held;
   of a handle that was opened without KSD_CONCURRENT it runs one request at a time.

   It may call every function of this header. A request on its own handle is KSD_DEVICE_BUSY unless that is KSD_CONCURRENT. Handlers of two
   such handles that send to each other at the same time wait forever, as do two threads with two locks. A handler must
   return: no longjmp and no C++ exception may cross it. A fault in it, such as a NULL pointer, ends the process as it would
   anywhere else in C.

   A handler that will finish later returns KSD_PENDING and hands call->token to whoever calls ksd_complete, which may happen
   before the handler returns. */
typedef ksd_status (*ksd_handler)(ksd_call *call);

/* ksd_complete ends a request whose handler returned KSD_PENDING, or is about to: one whose handler still runs ends when that returns,
   as it was completed. An error drops information. It returns KSD_SUCCESS if this call ended the request, and KSD_INVALID_HANDLE,
   without effect, if the request has ended already, was cancelled, or never was; KSD_PENDING as a status is KSD_INVALID_PARAMETER.

   A handler that gave its token to another thread returns KSD_PENDING. If it answers at the same time as that thread completes, one of
   the two counts, and ksd_complete may return KSD_SUCCESS for the other. */
KSD_API ksd_status ksd_complete(uint64_t token, ksd_status status, uint64_t information);

/* ---- Objects ---------------------------------------------------------------------------------------------------------------- */

enum { KSD_KIND_PROPERTY = 0, KSD_KIND_METHOD = 1, KSD_KIND_EVENT = 2 };

/* A ksd_item declares one property, method or event: KSPROPERTY_ITEM, KSMETHOD_ITEM, KSEVENT_ITEM. */
typedef struct ksd_item {
	uint32_t size;         /* sizeof(ksd_item) */
	uint32_t id;
	uint32_t min_property; /* least length of the input, at least 24 (32 for events, KSEVENTDATA included) */
	uint32_t min_data;     /* least length of the output; 0 leaves sizes to the handlers */
	ksd_handler get;       /* of a property; the handler of a method; NULL: the verb is not supported */
	ksd_handler set;       /* of a property */
	ksd_handler support;   /* asked by BASICSUPPORT and its kin first; NULL: the library answers */
	void *context;         /* for ksd_call */
	uint32_t kind;         /* KSD_KIND_PROPERTY, ... */
	uint32_t flags;        /* of a method: KSMETHOD_TYPE_NONE 0, _READ 1, _WRITE 2, _MODIFY 3; else 0 */
} ksd_item;

/* A ksd_set is a set of items with one GUID. Its items are of any kind. */
typedef struct ksd_set {
	uint8_t guid[16];      /* as it lies in memory on Windows: Data1, Data2 and Data3 with their least significant byte first */
	const ksd_item *items;
	uint32_t count;
	uint32_t item_size;    /* sizeof(ksd_item): from one item to the next */
} ksd_set;

/* These return a new object, or 0 and what is wrong in err, which may be NULL with err_len 0. Everything that they are given is
   read before they return, but for contexts, which are kept for the handlers.

   ksd_object_from_driver takes an object of a driver that the library carries, such as "wds-sysvad"; ksd_object_from_json takes one
   of a manifest, whose format is in docs of the Go package engine/manifest. object is the name of an object in it, or NULL for
   the first. A filter comes with its nodes and pins. Their values are kept by the library.

   Where sets declare an item that the object has too, their handlers and sizes replace the object's; other items are added. */
KSD_API ksd_object ksd_object_from_driver(const char *driver, const char *object, const ksd_set *sets, uint32_t count, char *err,
                                          size_t err_len);
KSD_API ksd_object ksd_object_from_json(const void *json, size_t len, const char *object, const ksd_set *sets, uint32_t count,
                                        char *err, size_t err_len);
KSD_API ksd_object ksd_object_new(const ksd_set *sets, uint32_t count, char *err, size_t err_len);

/* ksd_object_free gives the number back. Open handles go on; the last close frees the object. */
KSD_API void ksd_object_free(ksd_object object);

/* ksd_object_swap has object answer as replacement does, at one moment and on all open handles: a request in flight ends with what it
   began with, and the next finds the new. Values that the library keeps are carried over by set and id, and events stay enabled. A pin
   that replacement lacks is KSD_DEVICE_REMOVED from then on. The number of replacement is given back; it must not have been opened.
   Both are filters, or neither is; else it is KSD_INVALID_PARAMETER. */
KSD_API ksd_status ksd_object_swap(ksd_object object, ksd_object replacement);

/* ---- Handles and requests --------------------------------------------------------------------------------------------------- */

enum {
	KSD_KERNEL_MODE = 1, /* the requestor mode of the handle's requests */
	KSD_CONCURRENT = 2   /* any number of requests at once: FILE_FLAG_OVERLAPPED. Without it requests wait for each other */
};

/* ksd_open opens the object. file is for the handlers. It returns 0 for a number that is no object, or where memory is short. */
KSD_API ksd_handle ksd_open(ksd_object object, void *file, uint32_t flags);

/* ksd_close ends what is pended on the handle with KSD_CANCELLED, waits for handlers that run, disables the handle's events, and waits
   for a ksd_signal that tells of one: its caller holds no lock that these want. In a handler of the handle it does not wait for that: the
   handle then closes when the request in flight has ended. In a ksd_signal it does not wait for that. */
KSD_API void ksd_close(ksd_handle handle);

/* ksd_ioctl sends one request and waits for its end: DeviceIoControl. *returned, if returned is not NULL, becomes the number of
   bytes in out, or needed for it with KSD_BUFFER_OVERFLOW; it is 0 for an error. in and out may overlap. */
KSD_API ksd_status ksd_ioctl(ksd_handle handle, uint32_t code, const void *in, uint32_t in_len, void *out, uint32_t out_len,
                             uint32_t *returned);

/* A ksd_request is one request of a batch. */
typedef struct ksd_request {
	const void *in;
	void *out;
	uint32_t in_len;
	uint32_t out_len;
	uint32_t code;
	uint32_t returned; /* out */
	ksd_status status; /* out */
	uint32_t reserved; /* 0 */
} ksd_request;

/* ksd_ioctl_batch sends count requests in order, each as ksd_ioctl does, and returns how many it answered: all of them, or none if
   handle is no handle. It crosses into the library once, which is most of what a short request costs. */
KSD_API uint32_t ksd_ioctl_batch(ksd_handle handle, ksd_request *requests, uint32_t count);

/* ---- Many requests at once -------------------------------------------------------------------------------------------------- */

/* A ksd_done tells of the end of a request, when out has been written. It runs on the thread that ends the request, which may be any,
   and may send others. */
typedef void (*ksd_done)(void *context, ksd_status status, uint32_t returned);

/* ksd_ioctl_async is ksd_ioctl that does not wait on a handle with KSD_CONCURRENT; on any other it is ksd_ioctl. If the handler leaves the
   request pending it returns KSD_PENDING, and done is called once, when the request ends; until then in and out stay the library's.
   What is answered at once is returned, and done is not called.

   With done NULL the end is queued in the handle's port, as it is on Windows: also that of a request which is answered at once, unless
   with an error. Without a port this is KSD_INVALID_PARAMETER. */
KSD_API ksd_status ksd_ioctl_async(ksd_handle handle, uint32_t code, const void *in, uint32_t in_len, void *out, uint32_t out_len,
                                   uint32_t *returned, ksd_done done, void *context);

/* ksd_cancel ends with KSD_CANCELLED the requests that are pended on the handle and were sent with context, or with NULL all of them:
   CancelIoEx. It returns KSD_NOT_FOUND if there are none. A request that is in a handler ends if the handler leaves it pending. */
KSD_API ksd_status ksd_cancel(ksd_handle handle, void *context);

/* A ksd_packet is the end of a request in a port. */
typedef struct ksd_packet {
	void *context;     /* what ksd_ioctl_async was given */
	ksd_handle handle; /* that the request was sent to */
	uint32_t returned;
	ksd_status status;
} ksd_packet;

#define KSD_FOREVER 0xffffffffu

/* ksd_port_new returns a port, an I/O completion port, and ksd_port_attach has it queue the ends of a handle's requests. That must come
   before the first request, and the handle must be KSD_CONCURRENT; else it is KSD_INVALID_PARAMETER. */
KSD_API ksd_port ksd_port_new(void);
KSD_API ksd_status ksd_port_attach(ksd_port port, ksd_handle handle);

/* ksd_port_wait takes up to count packets out of the port, in the order in which the requests ended, and returns how many: at once if
   there are any, else when there is one, or 0 after that many milliseconds or when the port is closed. At most 64 come at a time. */
KSD_API uint32_t ksd_port_wait(ksd_port port, ksd_packet *packets, uint32_t count, uint32_t milliseconds);

/* ksd_port_close wakes all who wait, and drops what is queued. Later ends are not queued. */
KSD_API void ksd_port_close(ksd_port port);

/* ---- Pins -------------------------------------------------------------------------------------------------------------------- */

/* ksd_create_pin creates a pin on the handle of a filter and opens it: KsCreatePin. connect is a KSPIN_CONNECT and the KSDATAFORMAT behind
   it. *pin becomes a handle like that of ksd_open, with file and flags, or 0. It is closed by itself, and may outlive its filter's.

   The status is that of KsValidateConnectRequest: KSD_NO_MATCH for a format, interface or medium that the pin does not have, say.
   A handle without pins is KSD_OBJECT_NAME_NOT_FOUND, and one pin more than possible KSD_INVALID_DEVICE_STATE. */
KSD_API ksd_status ksd_create_pin(ksd_handle filter, const void *connect, uint32_t len, void *file, uint32_t flags, ksd_handle *pin);

/* ---- Other control codes ----------------------------------------------------------------------------------------------------- */

/* ksd_object_on_ioctl has handler answer a control code beyond the four above on all handles and pins of the object: IOCTL_KS_READ_STREAM,
   or one of the program's own. Without a handler, and with NULL again, a code is KSD_INVALID_DEVICE_REQUEST. The handler's verb is the
   code, its request a copy of the input buffer, and its data what the transfer method in the two lowest bits of the code says:

   0 buffered    request and data begin at the same byte; the caller gets information bytes of data
   1 in, direct  the output buffer's bytes, of which the caller gets nothing
   2 out, direct the output buffer's bytes, of which the caller gets all
   3 neither     a copy of the output buffer's bytes; the caller gets information bytes */
KSD_API ksd_status ksd_object_on_ioctl(ksd_object object, uint32_t code, ksd_handler handler, void *context);

/* ---- Events ----------------------------------------------------------------------------------------------------------------- */

/* A ksd_signal tells the client that an event which it enabled has fired. client_handle is the member Handle of its KSEVENTDATA: an
   eventfd, a HANDLE of Windows, or whatever number the client chose, but 0. */
typedef void (*ksd_signal)(void *context, uint64_t client_handle);

/* ksd_on_signal sets who is told of the events that are enabled through handle from now on, on a thread of the library, in the order
   in which they fired. Without it an enable is KSD_INVALID_HANDLE. */
KSD_API ksd_status ksd_on_signal(ksd_handle handle, ksd_signal signal, void *context);

/* ksd_generate fires an event for all who enabled it: KsGenerateEvents. data, which may be NULL, goes to those who enabled it
   buffered. */
KSD_API ksd_status ksd_generate(ksd_object object, const uint8_t set[16], uint32_t id, const void *data, uint32_t len);

/* ---- Observation ------------------------------------------------------------------------------------------------------------ */

/* A ksd_seen is what a hook sees of a request. It belongs to the library, and is there until the hook returns. */
typedef struct ksd_seen {
	uint32_t size;          /* sizeof(ksd_seen) of the library */
	uint32_t code;          /* the control code: KSD_IOCTL_PROPERTY, ... */
	void *context;          /* of the observer */
	void *file;             /* what ksd_open was given */
	ksd_handle handle;      /* that the request was sent to */
	const uint8_t *request; /* as in ksd_call; in miss the identifier alone, zeros where none was read */
	const uint8_t *data;    /* as in ksd_call, with what the handler has written there in after; NULL in miss */
	uint32_t request_len;
	uint32_t data_len;
	uint32_t verb;
	ksd_status status;      /* of the answer, in after and miss */
	uint64_t information;   /* in after */
	char rule[8];           /* in miss: the rule that the request breaks, such as "P-28", or "" */
} ksd_seen;

/* A ksd_hook runs where a handler would: on the thread that sent the request, with no lock held, and bound to what ksd_handler says of
   calls, of longjmp and of faults. */
typedef ksd_status (*ksd_hook)(const ksd_seen *seen);

/* A ksd_observer says who looks at the requests of an object. Each hook may be NULL. */
typedef struct ksd_observer {
	uint32_t size;         /* sizeof(ksd_observer) */
	uint32_t sample_every; /* how many requests of an item there are to one whose time is taken: 1 is all, 0 is 1,024 */
	ksd_hook before;       /* before a handler, also one of the library: an error is the answer, and there is no handler; else it goes on */
	ksd_hook after;        /* after a handler that has answered, unless with KSD_PENDING. What it returns is ignored */
	ksd_hook miss;         /* after a request that no handler had. What it returns is ignored */
	void *context;         /* for ksd_seen */
} ksd_observer;

/* ksd_object_observe has the requests of the object, its pins and its nodes counted and shown to hooks, from now on and on all handles;
   a request in flight ends as it began. Another observer takes the place of this one, NULL ends it, and counters begin at 0 each time,
   as they do with ksd_object_swap. An object that is not observed runs nothing of this. Of events, hooks see those that are enabled. */
KSD_API ksd_status ksd_object_observe(ksd_object object, const ksd_observer *observer);

enum { KSD_AT_OBJECT = 0, KSD_AT_PIN = 1, KSD_AT_NODE = 2 };

/* A ksd_counter has what was counted of one handler, or of one kind of requests that no handler had. Times are in nanoseconds, those of
   samples, and at most 1/16 too long. */
typedef struct ksd_counter {
	uint32_t size; /* sizeof(ksd_counter) */
	uint32_t at;   /* whose item it is: KSD_AT_OBJECT, ... */
	uint32_t index; /* PinId or NodeId */
	uint32_t verb; /* KSD_GET, KSD_SET, KSD_BASIC_SUPPORT for the support handler; 0 for that of a method, and without handler */
	uint8_t set[16];
	uint32_t id;
	uint32_t statuses; /* how many there are in by_status */
	char rule[8];      /* "" for a handler; else the rule that the requests broke */
	uint64_t requests;
	uint64_t samples, p50, p90, p99, p999, longest, total;
	struct {
		ksd_status status;
		uint32_t reserved;
		uint64_t requests;
	} by_status[8]; /* the most frequent first; others are in requests alone */
} ksd_counter;

/* ksd_object_counters writes the counters of an observed object that are not 0: those of one set and one id; NULL is any. *count is how
   many there is room for, and becomes how many there are. If these are more, the first are written and the status is
   KSD_BUFFER_OVERFLOW. The size of the first in the array is that of all. An object that is not observed is KSD_INVALID_DEVICE_STATE.
   Methods and properties are counted, and what their dispatchers refuse; of a set there may be both with the same id. */
KSD_API ksd_status ksd_object_counters(ksd_object object, const uint8_t *set, const uint32_t *id, ksd_counter *counters, uint32_t *count);

/* ksd_trace_start records what is asked through handles that are opened from now on, and through their pins, into a new file, which
   `ksbench trace` shows, checks and replays: properties, methods, events enabled and generated, pins created, cancels. A file that is
   there already is left alone, and an error. An object has one trace at a time; a second is KSD_INVALID_DEVICE_STATE. err is that of
   ksd_object_new.

   A request waits while the writer is behind, or with KSD_TRACE_DROP is not recorded and counted as dropped. */
enum { KSD_TRACE_DROP = 1 };
KSD_API ksd_status ksd_trace_start(ksd_object object, const char *path, uint32_t flags, char *err, size_t err_len);

/* A ksd_trace_counters has what was written of a trace. */
typedef struct ksd_trace_counters {
	uint32_t size;    /* sizeof(ksd_trace_counters) */
	uint32_t running; /* 1, or 0 for the last trace, which has ended */
	uint64_t bytes;   /* of the file */
	uint64_t dropped; /* records that were lost */
} ksd_trace_counters;

/* ksd_trace_read reads the counters of the object's trace, or of its last one; KSD_NOT_FOUND is none. What was recorded is in the file
   after 0.1 seconds, also if the process is killed. */
KSD_API ksd_status ksd_trace_read(ksd_object object, ksd_trace_counters *counters);

/* ksd_trace_stop writes what is left and closes the file; requests that follow are answered and not recorded. ksd_object_free does it
   too. KSD_NOT_FOUND is no trace, and KSD_UNSUCCESSFUL one that was not written completely: err says why. */
KSD_API ksd_status ksd_trace_stop(ksd_object object, char *err, size_t err_len);

/* ---- Threads ---------------------------------------------------------------------------------------------------------------- */

/* ksd_run calls f(context) on a thread that Go's runtime knows and returns when f does. On Windows a call from another thread costs
   microseconds more than from f. */
KSD_API void ksd_run(void (*f)(void *context), void *context);

#ifdef __cplusplus
}
#endif
#endif
