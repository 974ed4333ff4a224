/*
 * unp_posixshm.h - POSIX shared memory objects: shm_overview(7), UNPv2 chapter 13.
 *
 * Mapping has no shim: a descriptor of shared memory is a file descriptor.
 */
#ifndef UNP_POSIXSHM_H
#define UNP_POSIXSHM_H

#include "unp.h"

/*
 * shm_open(3). The descriptor is close-on-exec. name is borrowed.
 * Errors: EACCES, EEXIST, EINVAL (the name), EMFILE, ENAMETOOLONG, ENFILE, ENOENT.
 */
int unp_shm_open(const char *name, int oflag, mode_t mode, int *fd);

/* shm_unlink(3). name is borrowed. Errors: EACCES, EINVAL, ENAMETOOLONG, ENOENT. */
int unp_shm_unlink(const char *name);

/*
 * posix_fallocate(3) from the beginning: bytes that are there can be touched, where
 * ftruncate(2) would promise what a full file system answers with SIGBUS.
 * Errors: ENOSPC, EFBIG, EINVAL, EINTR.
 */
int unp_shm_allocate(int fd, int64_t bytes);

#endif
