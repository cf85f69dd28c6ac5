#include "relay/cli/domain_command.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>

#include "relay/cli/zone_file.h"
#include "relay/observe/escape.h"

namespace waxwing {
namespace {

std::string zone_line(const RecordToPublish& record) {
  if (record.type == RecordType::TXT) return format_txt_record(record.name, record.data);
  return fmt::format("{}. IN {} {}", record.name, record_type_name(record.type), record.data);
}

nlohmann::json finding_json(const DomainFinding& finding) {
  nlohmann::json object = {{"check", finding.check},
                           {"subject", printable(finding.subject)},
                           {"grade", finding_grade_name(finding.grade)},
                           {"detail", printable(finding.detail)},
                           {"publish", nullptr}};
  if (finding.publish) {
    object["publish"] = {{"name", finding.publish->name},
                         {"type", record_type_name(finding.publish->type)},
                         {"data", finding.publish->data},
                         {"zone_line", zone_line(*finding.publish)}};
  }
  return object;
}

std::string conclusion(const DomainName& domain, const std::vector<DomainFinding>& findings) {
  if (is_in_order(findings)) return fmt::format("{} is in order", domain.str());
  return fmt::format("{} is not in order", domain.str());
}

}  // namespace

void print_domain_check(const DomainName& domain, const std::vector<DomainFinding>& findings, Output& output) {
  nlohmann::json list = nlohmann::json::array();
  for (const DomainFinding& finding : findings) {
    list.push_back(finding_json(finding));
    output.add_line(fmt::format("{:<8}{:<8} {}: {}", finding_grade_name(finding.grade), finding.check, finding.subject,
                                finding.detail));
    if (finding.publish) output.add_line(fmt::format("        publish: {}", zone_line(*finding.publish)));
  }
  output.add_object({{"domain", domain.str()}, {"in_order", is_in_order(findings)}, {"findings", std::move(list)}});
  output.add_line(conclusion(domain, findings));
}

}  // namespace waxwing
