#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "policy/time_point.h"
#include "tests/conformance/case_runner.h"
#include "tests/support/scripted_dns.h"

namespace waxwing::conformance {

/// A name that a suite writes as Question::name has it: lower case, A-labels, no trailing dot.
[[nodiscard]] std::string owner_name(const std::string& text);

/// The DNS of a case about signatures: `dns` of its document, in which names of its own `dns` replace others.
[[nodiscard]] testing::ScriptedDns key_dns(const nlohmann::json& entry, const Document& document);

/// The octets of the message that a case names, as they are. Throws where the file cannot be read.
[[nodiscard]] std::string message_of(const nlohmann::json& entry, const Document& document);

/// A member that is seconds since 1970. Throws where it is none.
[[nodiscard]] WallTime time_at(const nlohmann::json& entry, const char* member);

/// When a case happens: `now` in it, else now.
[[nodiscard]] WallTime time_of(const nlohmann::json& entry);

}  // namespace waxwing::conformance
