/* Tokens on their way from handlers to the threads that complete their requests. */
#ifndef QUEUE_H
#define QUEUE_H

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

enum { ROOM = 1 << 16 };

static struct {
	pthread_mutex_t mu;
	pthread_cond_t changed;
	uint64_t tokens[ROOM];
	unsigned first, last;
	int closed;
} queue = {.mu = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static inline void push(uint64_t token)
{
	pthread_mutex_lock(&queue.mu);
	if (queue.last - queue.first == ROOM)
		abort();
	queue.tokens[queue.last++ % ROOM] = token;
	pthread_cond_signal(&queue.changed);
	pthread_mutex_unlock(&queue.mu);
}

/* pop waits for a token; 0 is the end. */
static inline uint64_t pop(void)
{
	uint64_t token = 0;
	pthread_mutex_lock(&queue.mu);
	while (queue.first == queue.last && !queue.closed)
		pthread_cond_wait(&queue.changed, &queue.mu);
	if (queue.first != queue.last)
		token = queue.tokens[queue.first++ % ROOM];
	pthread_mutex_unlock(&queue.mu);
	return token;
}

/* shut ends the queue for those who wait, and reopen makes it a queue again. */
static inline void shut(void)
{
	pthread_mutex_lock(&queue.mu);
	queue.closed = 1;
	pthread_cond_broadcast(&queue.changed);
	pthread_mutex_unlock(&queue.mu);
}

static inline void reopen(void)
{
	pthread_mutex_lock(&queue.mu);
	queue.closed = 0;
	pthread_mutex_unlock(&queue.mu);
}

#endif
