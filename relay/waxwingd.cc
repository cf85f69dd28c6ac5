// The daemon: reads its configuration and runs the relay in the foreground, as a service manager wants it.

#include <sysexits.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "relay/config/load_config.h"
#include "relay/daemon/daemon.h"

int main(int argc, char** argv) {
  std::string config_path = "/etc/waxwing/waxwing.toml";
  bool check = false;
  CLI::App app("Waxwing, outbound submission relay and signing proxy");
  app.add_option("--config", config_path, "Configuration file")->capture_default_str();
  app.add_flag("--check", check, "Check the configuration and exit");
  app.set_version_flag("--version", "waxwingd " WAXWING_VERSION);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? EX_OK : EX_USAGE;
  }

  const auto config = waxwing::load_config(config_path);
  if (!config) {
    for (const waxwing::ConfigMistake& mistake : config.error()) std::fprintf(stderr, "%s\n", mistake.str().c_str());
    return EX_CONFIG;
  }
  if (check) {
    std::printf("%s is in order\n", config_path.c_str());
    return EX_OK;
  }
  return waxwing::run_daemon(*config);
}
