#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "signer/message_verifier.h"
#include "tests/fuzz/octet_source.h"
#include "tests/fuzz/zone_lines.h"

namespace waxwing::fuzz {

/// When seeds were signed.
inline constexpr WallTime kVerificationTime{Seconds(1'800'000'000)};

/// What the signatures of a message prove, when it comes in chunks.
/// @return  no value: the message cannot be read
inline std::optional<SignatureVerdicts> verify_in_chunks(std::string_view message, std::uint8_t chunk_seed,
                                                         const ZoneLines& zone, Answers& answers) {
  MessageVerifier verifier;
  bool readable = true;
  in_chunks(message, chunk_seed,
            [&](std::string_view chunk) { readable = readable && verifier.feed(chunk).has_value(); });
  if (!readable || !verifier.finish()) return std::nullopt;
  return zone.resolve_with(answers, [&](Answers& book) { return verifier.verify(book, kVerificationTime); });
}

/// The same in one piece.
inline std::optional<SignatureVerdicts> verify_whole(std::string_view message, const ZoneLines& zone) {
  MessageVerifier verifier;
  if (!verifier.feed(message) || !verifier.finish()) return std::nullopt;
  return zone.resolve([&](Answers& book) { return verifier.verify(book, kVerificationTime); });
}

}  // namespace waxwing::fuzz
