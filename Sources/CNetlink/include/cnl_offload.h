// Segmentation offloads of a network device.
#ifndef CNL_OFFLOAD_H
#define CNL_OFFLOAD_H

#include <stdbool.h>

// `name` is the kernel's name of a feature, such as "tx-tcp-segmentation"; valid during the call.
typedef void (*cnl_feature_handler)(void *context, const char *name, bool active);

// Hands over every feature of the device.
int cnl_features(const char *device, cnl_feature_handler handler, void *context);
// Turns off everything by which a packet larger than the MTU could leave the stack for this device whole: each feature
// "tx-...-segmentation", "tx-gso-list" and "tx-gso-partial". -EOPNOTSUPP if one stays on.
int cnl_segmentation_off(const char *device);
// Turns on the merging of received packets.
int cnl_merging_on(const char *device);
// How many of these features are on.
int cnl_segmentation_count(const char *device);

#endif
