/* The wall clock of one program and its children, moved: LD_PRELOAD it, and write a
   number of seconds, as eight bytes, into the file that SOAK_CLOCK names. What counts
   seconds since the machine started is left alone, as when an operator sets a clock. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile long long *ahead;

__attribute__((constructor)) static void opened(void) {
  int file = open(getenv("SOAK_CLOCK"), O_RDONLY);
  void *shared = mmap(NULL, sizeof *ahead, PROT_READ, MAP_SHARED, file, 0);
  if (shared == MAP_FAILED) _exit(1);
  ahead = shared;
  close(file);
}

int clock_gettime(clockid_t id, struct timespec *at) {
  int failed = syscall(SYS_clock_gettime, id, at);
  int wall = id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE;
  if (!failed && wall && ahead) at->tv_sec += *ahead;
  return failed;
}

int gettimeofday(struct timeval *at, void *zone) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  at->tv_sec = now.tv_sec;
  at->tv_usec = now.tv_nsec / 1000;
  return 0;
}

/* The kernel waits by its own clock, so an instant of ours is led back to that. */
int sem_timedwait(sem_t *semaphore, const struct timespec *until) {
  int (*wait)(sem_t *, const struct timespec *) = dlsym(RTLD_NEXT, "sem_timedwait");
  struct timespec real = *until;
  if (ahead) real.tv_sec -= *ahead;
  return wait(semaphore, &real);
}

time_t time(time_t *at) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (at) *at = now.tv_sec;
  return now.tv_sec;
}
