#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "policy/lookup.h"

namespace waxwing {

/// Reads the rdata of one record, message[offset, offset + length), which the caller has checked to lie inside the
/// message. A CNAME is given as a PtrRecord.
/// @return  no value: the rdata does not have the type's shape exactly
/// @source  RFC 1035 §3.3, RFC 3596 §2.2, RFC 6698 §2.1
[[nodiscard]] std::optional<RecordData> read_record(std::span<const std::uint8_t> message, std::size_t offset,
                                                    std::size_t length, RecordType type);

}  // namespace waxwing
