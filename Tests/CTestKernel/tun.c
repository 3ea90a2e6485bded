#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "CTestKernel.h"

int tun_open(const char *name) {
    int descriptor = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) return -errno;
    struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    strncpy(request.ifr_name, name, sizeof request.ifr_name - 1);
    if (ioctl(descriptor, TUNSETIFF, &request) == 0) return descriptor;
    int code = -errno;
    close(descriptor);
    return code;
}
