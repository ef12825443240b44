/* swap.c: an object in use answers as another one. */
#include <pthread.h>

#include "test.h"

static uint64_t kept; /* token */

static ksd_status answers(ksd_call *call)
{
	memcpy(call->data, call->context, 4);
	call->information = 4;
	return KSD_SUCCESS;
}

static ksd_status pends(ksd_call *call)
{
	memcpy(call->data, call->context, 4);
	__atomic_store_n(&kept, call->token, __ATOMIC_RELEASE);
	return KSD_PENDING;
}

static uint32_t versions[2] = {1, 2};

static ksd_object version(int v)
{
	const ksd_item items[] = {
		{.size = sizeof(ksd_item), .id = 1, .min_data = 4, .get = answers, .context = &versions[v]},
		{.size = sizeof(ksd_item), .id = v ? 3 : 2, .min_data = 4, .get = pends, .context = &versions[v]},
	};
	return make(items, 2);
}

static uint32_t ask(ksd_handle h)
{
	uint32_t value = 0, n = 0;
	CHECK_STATUS(send(h, 1, KSD_GET, &value, 4, &n), KSD_SUCCESS);
	return value;
}

static void *pending(void *argument)
{
	uint32_t value = 0, n = 0;
	CHECK_STATUS(send(*(ksd_handle *)argument, 2, KSD_GET, &value, 4, &n), KSD_SUCCESS);
	CHECK(value == 1 && n == 4);
	return NULL;
}

static int over;

static void *asking(void *argument)
{
	while (!__atomic_load_n(&over, __ATOMIC_ACQUIRE)) {
		uint32_t value = ask(*(ksd_handle *)argument);
		CHECK(value == 1 || value == 2);
	}
	return NULL;
}

int main(void)
{
	char err[300], data[4];
	pthread_t thread, threads[2];
	ksd_object o = version(0), replacement = version(1);
	ksd_handle h = ksd_open(o, NULL, 0), other = ksd_open(o, NULL, 0);
	CHECK(ask(h) == 1);
	CHECK_STATUS(send(h, 3, KSD_GET, data, 4, NULL), KSD_NOT_FOUND);

	pthread_create(&thread, NULL, pending, &other);
	while (!__atomic_load_n(&kept, __ATOMIC_ACQUIRE))
		;
	CHECK_STATUS(ksd_object_swap(o, o), KSD_INVALID_PARAMETER);
	CHECK_STATUS(ksd_object_swap(o, replacement), KSD_SUCCESS);
	CHECK(ask(h) == 2);
	CHECK_STATUS(send(h, 2, KSD_GET, data, 4, NULL), KSD_NOT_FOUND);
	CHECK_STATUS(ksd_complete(kept, KSD_SUCCESS, 4), KSD_SUCCESS);
	pthread_join(thread, NULL);
	CHECK_STATUS(ksd_object_swap(o, replacement), KSD_INVALID_HANDLE);
	CHECK(ksd_open(replacement, NULL, 0) == 0);

	ksd_handle askers[2] = {h, other};
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, asking, &askers[i]);
	for (int i = 0; i < 500; i++)
		CHECK_STATUS(ksd_object_swap(o, version(i % 2)), KSD_SUCCESS);
	__atomic_store_n(&over, 1, __ATOMIC_RELEASE);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	CHECK(ask(h) == 2);

	ksd_object filter = ksd_object_from_driver("wds-simpleaudiosample", NULL, NULL, 0, err, sizeof err);
	ksd_object again = ksd_object_from_driver("wds-simpleaudiosample", NULL, NULL, 0, err, sizeof err);
	CHECK_STATUS(ksd_object_swap(o, filter), KSD_INVALID_PARAMETER);
	CHECK_STATUS(ksd_object_swap(filter, again), KSD_SUCCESS);
	CHECK_STATUS(ksd_object_swap(filter, again), KSD_INVALID_HANDLE);
	ksd_object_free(filter);

	ksd_close(h);
	ksd_close(other);
	ksd_object_free(o);
	return result();
}
