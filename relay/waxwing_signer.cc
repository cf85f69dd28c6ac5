// The signer: keeps the private keys, in a process without network, and signs what the relay asks for.

#include <sysexits.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "relay/config/load_config.h"
#include "relay/signing/signer_process.h"

int main(int argc, char** argv) {
  std::string config_path = "/etc/waxwing/waxwing.toml";
  CLI::App app("waxwing-signer, which alone can read the private keys of the Waxwing relay");
  app.add_option("--config", config_path, "Configuration file, the same as the relay's")->capture_default_str();
  app.set_version_flag("--version", "waxwing-signer " WAXWING_VERSION);
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
  return waxwing::run_signer(*config);
}
