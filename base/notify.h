// SPDX-License-Identifier: BSD-3-Clause
// Telling systemd how the service is doing (sd_notify(3), NOTIFY_SOCKET).
#pragma once

// Sends `state` ("READY=1", "STOPPING=1"); nothing happens outside systemd.
void notify_systemd(const char *state);
