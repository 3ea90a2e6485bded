/* The Linux calls that Swift's Glibc module leaves out. */
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <malloc.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/un.h>

/* glibc declares it only with _GNU_SOURCE. */
int pthread_setname_np(pthread_t thread, const char *name);
