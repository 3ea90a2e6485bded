// Network namespaces of the calling thread, for tests; Swift does not see these calls of Linux. 0 or a negative errno.
#ifndef CNAMESPACE_H
#define CNAMESPACE_H

// Leaves for a new network namespace.
int namespace_leave(void);
// Goes to the one that `fd` stands for.
int namespace_enter(int fd);
// Makes what the calling thread opens this user's from now on.
void namespace_file_user(unsigned user);

#endif
