// What is no seal of ours never opens: under our secret a text opens to what was sealed, or not at all, and under
// another name not at all.
//
// Input: a text of a sealed key.

#include "keys/key_sealing.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "policy/base64.h"
#include "tests/fuzz/finding.h"

using namespace waxwing;
using fuzz::require;

namespace {

constexpr std::string_view kSecret = "0123456789abcdef0123456789abcdef";
constexpr std::string_view kContent = "what is sealed";
constexpr std::string_view kBegin = "-----BEGIN WAXWING SEALED KEY-----";

// scrypt takes a tenth of a second, and all that comes before it is the same for both kinds.
bool asks_for_scrypt(std::string_view text) {
  const std::string_view inner = text.substr(std::min(kBegin.size(), text.size()));
  const auto octets = decode_base64(inner.substr(0, inner.find('-')));
  return octets && octets->size() > 1 && octets->at(1) == static_cast<char>(SealingSecretKind::Passphrase);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* octets, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(octets), size);
  if (asks_for_scrypt(text)) return 0;
  KeySealing sealing(SealingSecretKind::Key, Secret(kSecret));
  const auto opened = sealing.open("sender.example/s1", text);
  if (opened) {
    require(looks_sealed(text), "what opens looks sealed");
    require(opened->reveal() == kContent, "what opens is what was sealed");
    require(sealing.is_under_this_secret(text), "what opens is under our secret");
  }
  require(!sealing.open("sender.example/s2", text).has_value(), "nothing opens under another name");
  KeySealing other(SealingSecretKind::Key, Secret("another key of thirty-two octets"));
  require(!other.open("sender.example/s1", text).has_value(), "nothing opens under another secret");
  return 0;
}
