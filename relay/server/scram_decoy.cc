#include "relay/server/scram_decoy.h"

#include <string>

namespace waxwing {

ScramKeys scram_decoy(const Secret& secret, std::string_view user) {
  const auto octets_for = [&](std::string_view purpose) {
    return scram_signature(secret.reveal(), std::string(purpose) + '\0' + std::string(user));
  };
  return {kScramIterations, std::string(octets_for("salt").reveal().substr(0, kScramSaltOctets)),
          octets_for("stored key"), octets_for("server key")};
}

}  // namespace waxwing
