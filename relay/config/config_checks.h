#pragma once

#include "relay/config/load_config.h"
#include "relay/config/mistake_list.h"

namespace waxwing {

/// Checks what no option can tell by itself: options that must agree with each other, and files that must exist.
void check_config(const Config& config, const Settings& settings, const ConfigSurroundings& surroundings,
                  MistakeList& mistakes);

}  // namespace waxwing
