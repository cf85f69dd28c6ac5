#include "relay/admin/admin_request.h"

#include <nlohmann/json.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace waxwing {

AdminRequest::AdminRequest(const nlohmann::json& request) : request_(request) {
  if (!request_.is_object()) refuse("a request is a JSON object");
}

std::string AdminRequest::text(const char* name) {
  const nlohmann::json* value = take(name);
  return value == nullptr ? std::string() : checked_text(name, *value);
}

std::vector<std::string> AdminRequest::texts(const char* name, std::size_t most) {
  const nlohmann::json* value = take(name);
  if (value == nullptr) return {};
  if (!value->is_array() || value->size() > most) {
    refuse(fmt::format("\"{}\" is not a list of at most {} texts", name, most));
    return {};
  }
  std::vector<std::string> texts;
  for (const nlohmann::json& element : *value) texts.push_back(checked_text(name, element));
  return texts;
}

std::optional<std::uint64_t> AdminRequest::number(const char* name) {
  const nlohmann::json* value = take(name);
  if (value == nullptr) return std::nullopt;
  const bool negative = value->is_number_integer() && !value->is_number_unsigned() && value->get<std::int64_t>() < 0;
  if (value->is_number_integer() && !negative) return value->get<std::uint64_t>();
  refuse(fmt::format("\"{}\" is not a whole number", name));
  return std::nullopt;
}

bool AdminRequest::flag(const char* name) {
  const nlohmann::json* value = take(name);
  if (value == nullptr) return false;
  if (!value->is_boolean()) refuse(fmt::format("\"{}\" is neither true nor false", name));
  return value->is_boolean() && value->get<bool>();
}

void AdminRequest::refuse(std::string why) {
  if (!wrong_) wrong_ = std::move(why);
}

Result<void> AdminRequest::finish() {
  if (request_.is_object()) {
    for (const auto& [name, value] : request_.items()) {
      if (!taken_.contains(name)) refuse("the command has no such argument as one that was given");
    }
  }
  if (wrong_) return fail(ErrorKind::Malformed, *wrong_);
  return {};
}

const nlohmann::json* AdminRequest::take(const char* name) {
  taken_.insert(name);
  if (!request_.is_object()) return nullptr;
  const auto member = request_.find(name);
  return member == request_.end() ? nullptr : &*member;
}

std::string AdminRequest::checked_text(const char* name, const nlohmann::json& value) {
  const auto* text = value.get_ptr<const std::string*>();
  const bool clean = text != nullptr && text->size() <= kMaxMemberOctets && std::ranges::none_of(*text, [](char c) {
                       return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
                     });
  if (clean) return *text;
  refuse(fmt::format("\"{}\" is not a text of at most {} octets without control characters", name, kMaxMemberOctets));
  return {};
}

}  // namespace waxwing
