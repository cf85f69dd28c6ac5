#include "relay/cli/json_text.h"

#include <nlohmann/json.hpp>

namespace waxwing {
namespace {

using Json = nlohmann::json;

std::string as_text(const Json& value) {
  if (value.is_null()) return "";
  return value.is_string() ? value.get<std::string>() : value.dump(-1, ' ', true, Json::error_handler_t::replace);
}

}  // namespace

const Json& json_member(const Json& object, std::string_view name) {
  static const Json kNothing;
  if (!object.is_object()) return kNothing;
  const auto found = object.find(std::string(name));
  return found == object.end() ? kNothing : *found;
}

std::string json_text(const Json& object, std::string_view name) {
  return as_text(json_member(object, name));
}

std::string json_list(const Json& list, std::string_view nothing) {
  std::string all;
  for (const Json& element : list) {
    if (!all.empty()) all += ", ";
    all += as_text(element);
  }
  return all.empty() ? std::string(nothing) : all;
}

}  // namespace waxwing
