// SPDX-License-Identifier: BSD-3-Clause
#include "netd/dns/dns.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "netd/dns/dns_server.h"

// Bytes of questions that wait while others are answered. A larger queue would only make a client
// that floods wait longer.
#define UDP_QUEUE_BYTES (1 << 20)

void dns_conf_init(struct dns_conf *conf)
{
	*conf = (struct dns_conf){
		.ttl_s = 2,
		.resolv_conf = "/etc/resolv.conf",
		.timeout_ms = 4000,
		.hedge_ms = 200,
		.cache_max = 10000,
		.stale_s = 3600,
		.client_max = 100,
		.forward_max = 4096,
		.write_resolv_conf = true,
	};
}

// ---- calls into the thread ----

void dns_in_thread(struct dns *dns, job_fn *job, void *arg)
{
	pthread_mutex_lock(&dns->lock);
	dns->job = job;
	dns->job_arg = arg;
	eventfd_write(dns->job_fd, 1);
	while (dns->job)
		pthread_cond_wait(&dns->job_done, &dns->lock);
	pthread_mutex_unlock(&dns->lock);
}

// In the thread. The lock is not held while the job runs: the job may lock it.
static void run_job(void *arg)
{
	struct dns *dns = arg;
	eventfd_t count;
	job_fn *job;

	eventfd_read(dns->job_fd, &count);
	pthread_mutex_lock(&dns->lock);
	job = dns->job;
	pthread_mutex_unlock(&dns->lock);
	if (!job)
		return;
	job(dns->job_arg);
	pthread_mutex_lock(&dns->lock);
	dns->job = NULL;
	pthread_cond_signal(&dns->job_done);
	pthread_mutex_unlock(&dns->lock);
}

static void *thread_main(void *arg)
{
	struct dns *dns = arg;
	int rc;

	// The main thread counts on this one being there, so it stays whatever poll(2) says.
	while ((rc = loop_run(dns->server.loop)) < 0) {
		log_error("dns: %s", strerror(-rc));
		poll(NULL, 0, 100);
	}
	return NULL;
}

static void stop(void *arg)
{
	struct dns *dns = arg;

	loop_stop(dns->server.loop);
}

// ---- the server ----

static void done_ready(void *arg)
{
	struct dns *dns = arg;
	eventfd_t count;

	eventfd_read(dns->done_fd, &count);
	asks_tell(dns);
}

static void close_parts(struct dns *dns)
{
	loop_del(dns->loop, dns->done_handle);
	if (dns->done_fd >= 0)
		close(dns->done_fd);
	if (dns->job_fd >= 0)
		close(dns->job_fd);
	pthread_cond_destroy(&dns->job_done);
	pthread_mutex_destroy(&dns->lock);
	free(dns);
}

static int open_wakers(struct dns *dns, struct err *err)
{
	dns->job_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	dns->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (dns->job_fd < 0 || dns->done_fd < 0)
		return err_set_errno(err, -errno, "dns", "its eventfd");
	dns->done_handle = loop_add_fd(dns->loop, dns->done_fd, done_ready, dns);
	if (!dns->done_handle)
		return err_set_errno(err, -ENOMEM, "dns", "its eventfd");
	return 0;
}

static int start(struct dns *dns, struct err *err)
{
	int rc;

	if (!loop_add_fd(dns->server.loop, dns->job_fd, run_job, dns))
		return err_set_errno(err, -ENOMEM, "dns", "its eventfd");
	rc = pthread_create(&dns->thread, NULL, thread_main, dns);
	if (rc)
		return err_set_errno(err, -rc, "dns", "its thread");
	pthread_setname_np(dns->thread, "vsnetd-dns");
	return 0;
}

int dns_new(const struct dns_opts *opts, struct dns **ret_dns, struct err *err)
{
	struct dns *dns = calloc(1, sizeof(*dns));
	int rc;

	if (!dns)
		return err_set_errno(err, -ENOMEM, "dns", "the server");
	dns->loop = opts->loop;
	dns->job_fd = dns->done_fd = -1;
	TAILQ_INIT(&dns->done);
	pthread_mutex_init(&dns->lock, NULL);
	pthread_cond_init(&dns->job_done, NULL);
	if ((rc = open_wakers(dns, err)) < 0 || (rc = server_open(&dns->server, opts, err)) < 0)
		goto err;
	if ((rc = start(dns, err)) < 0)
		goto err_server;
	*ret_dns = dns;
	return 0;
err_server:
	server_close(&dns->server);
err:
	close_parts(dns);
	return rc;
}

void dns_free(struct dns *dns)
{
	if (!dns)
		return;
	dns_in_thread(dns, stop, dns);
	pthread_join(dns->thread, NULL);
	asks_close(dns);
	server_close(&dns->server);
	close_parts(dns);
}

// ---- listeners ----

struct listen_job {
	struct dns *dns;
	struct dns_listener *listener;
	const struct dns_view *view;
	int rc;
};

static void do_listen(void *arg)
{
	struct listen_job *job = arg;

	viewer_set(&job->listener->viewer, &job->dns->server, job->view);
	job->rc = listener_open(&job->dns->server, job->listener);
}

static void do_set(void *arg)
{
	struct listen_job *job = arg;

	viewer_set(&job->listener->viewer, &job->dns->server, job->view);
}

static void do_unlisten(void *arg)
{
	listener_close(arg);
}

void dns_sockets_close(struct dns_sockets *sockets)
{
	for (unsigned i = 0; i < sockets->nb_udp; i++)
		close(sockets->udp[i]);
	sockets->nb_udp = 0;
	if (sockets->tcp >= 0)
		close(sockets->tcp);
	sockets->tcp = -1;
}

static void set_queue(int fd)
{
	int bytes = UDP_QUEUE_BYTES;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
}

int dns_listen(struct dns *dns, const struct dns_sockets *sockets, const struct dns_view *view,
	struct dns_listener **ret_listener)
{
	struct dns_listener *listener = calloc(1, sizeof(*listener));
	struct listen_job job = {dns, listener, view, 0};

	if (!listener) {
		struct dns_sockets all = *sockets;

		dns_sockets_close(&all);
		return -ENOMEM;
	}
	listener->dns = dns;
	listener->nb_udp = sockets->nb_udp;
	for (unsigned i = 0; i < sockets->nb_udp; i++) {
		listener->udp[i].source.fd = sockets->udp[i];
		set_queue(sockets->udp[i]);
	}
	listener->tcp.fd = sockets->tcp;
	dns_in_thread(dns, do_listen, &job);
	if (job.rc < 0) {
		free(listener);
		return job.rc;
	}
	*ret_listener = listener;
	return 0;
}

void dns_listener_set(struct dns_listener *listener, const struct dns_view *view)
{
	struct listen_job job = {listener->dns, listener, view, 0};

	dns_in_thread(listener->dns, do_set, &job);
}

void dns_unlisten(struct dns_listener *listener)
{
	if (!listener)
		return;
	dns_in_thread(listener->dns, do_unlisten, listener);
	free(listener);
}

// ---- statistics ----

struct show_job {
	struct dns *dns;
	json_t *json;
	unsigned count;
	char (*search)[256];
};

static void do_stats(void *arg)
{
	struct show_job *job = arg;

	job->json = server_stats(&job->dns->server);
}

static void do_problems(void *arg)
{
	struct show_job *job = arg;

	job->json = forward_problems(job->dns->server.forward);
}

static void do_flush(void *arg)
{
	struct show_job *job = arg;

	job->count = forward_flush(job->dns->server.forward);
}

static void do_search(void *arg)
{
	struct show_job *job = arg;

	job->count = forward_search(job->dns->server.forward, job->search);
}

json_t *dns_stats(struct dns *dns)
{
	struct show_job job = {.dns = dns};

	dns_in_thread(dns, do_stats, &job);
	return job.json;
}

json_t *dns_problems(struct dns *dns)
{
	struct show_job job = {.dns = dns};

	dns_in_thread(dns, do_problems, &job);
	return job.json;
}

unsigned dns_flush(struct dns *dns)
{
	struct show_job job = {.dns = dns};

	dns_in_thread(dns, do_flush, &job);
	return job.count;
}

unsigned dns_search(struct dns *dns, char ret_search[DNS_SEARCH_MAX][256])
{
	struct show_job job = {.dns = dns, .search = ret_search};

	dns_in_thread(dns, do_search, &job);
	return job.count;
}
