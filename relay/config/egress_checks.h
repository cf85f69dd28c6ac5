#pragma once

#include "relay/config/config.h"
#include "relay/config/mistake_list.h"

namespace waxwing {

/// Checks what sources, pools, rules and pauses of [egress] say about one another.
void check_egress_config(const Config& config, const Settings& settings, MistakeList& mistakes);

}  // namespace waxwing
