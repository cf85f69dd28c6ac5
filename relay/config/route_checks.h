#pragma once

#include "relay/config/load_config.h"
#include "relay/config/mistake_list.h"

namespace waxwing {

/// Checks each `[[route]]` by itself and beside the others.
void check_routes(const Config& config, const Settings& settings, const ConfigSurroundings& surroundings,
                  MistakeList& mistakes);

}  // namespace waxwing
