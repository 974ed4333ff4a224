/*
 * unp_sysv.h - what the three kinds of System V IPC share: sysvipc(7), UNPv2 chapter 3.
 */
#ifndef UNP_SYSV_H
#define UNP_SYSV_H

#include "unp.h"

/* ftok(3): a key from a file's inode and device and the low 8 bits of id. Errors: stat(2)'s. */
int unp_ftok(const char *path, int id, int32_t *key);

#endif
