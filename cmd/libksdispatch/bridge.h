#ifndef KSD_BRIDGE_H
#define KSD_BRIDGE_H

#define KSD_BUILD
#include "ksdispatch.h"

/* What Go cannot do itself: call through a pointer to a function. Contexts of C may be any numbers, and Go's runtime ends a process where
   it finds a small number instead of a pointer. So what Go has of them are numbers, in these structures and in the functions of abi.c. */

/* A ksd_item, ksd_call and ksd_packet to Go. */
typedef struct ksd__item {
	uint32_t size, id, min_property, min_data;
	uintptr_t get, set, support, context;
	uint32_t kind, flags;
} ksd__item;

typedef struct ksd__call {
	uint32_t size, verb;
	uintptr_t context, file;
	ksd_handle handle;
	uintptr_t request, data;
	uint32_t request_len, data_len;
	uint64_t information, token;

	/* What handlers do not see. */
	uintptr_t handler;
	/* The token, while the handler has not returned, and until Go knows if it has returned KSD_PENDING. Go's atomic functions want it
	   aligned, which members of 32-bit systems are not. */
	uint64_t running __attribute__((aligned(8)));
	ksd_status status;
} ksd__call;

typedef struct ksd__packet {
	uintptr_t context;
	ksd_handle handle;
	uint32_t returned;
	ksd_status status;
} ksd__packet;

/* What a ksd_seen is made of. */
typedef struct ksd__seen {
	uint32_t code, verb;
	uintptr_t context, file;
	ksd_handle handle;
	uintptr_t request, data;
	uint32_t request_len, data_len;
	uint64_t information;
	ksd_status status;
	uint8_t identifier[24]; /* is the request if that is 0 */
	char rule[8];
} ksd__seen;

/* ksd__handle calls the handler of a call, and remembers on this thread that it runs for the call's handle. */
void ksd__handle(uintptr_t call);

/* ksd__look calls a ksd_hook as ksd__handle calls a handler. */
ksd_status ksd__look(uintptr_t hook, ksd__seen seen);

/* ksd__ignore has a leak checker, if the program has one, not look for who has memory: Go does. */
void ksd__ignore(const void *memory);

/* ksd__inside reports whether a handler for handle is among the callers on this thread. */
int ksd__inside(ksd_handle handle);

/* ksd__signal tells a client, and ksd__signalling whether a client is being told on this thread. */
int ksd__signalling(void);
void ksd__signal(ksd_signal signal, uintptr_t context, uint64_t client_handle);
void ksd__done(ksd_done done, uintptr_t context, ksd_status status, uint32_t returned);
void ksd__run(uintptr_t f, uintptr_t context);

/* cgo writes the prototypes of exported functions with these names for their types, so that the compiler compares them with those
   of the header. */
typedef const void *ksd__in;
typedef const char *ksd__text;
typedef const uint8_t *ksd__guid;
typedef const uint32_t *ksd__id;
typedef const ksd_set *ksd__sets;
typedef const ksd_observer *ksd__observer;

#endif
