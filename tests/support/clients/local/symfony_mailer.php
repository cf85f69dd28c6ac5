<?php
require '/usr/share/php/Symfony/Component/Mailer/autoload.php';
$mailer = new Symfony\Component\Mailer\Mailer(Symfony\Component\Mailer\Transport::fromDsn('sendmail://default'));
$mailer->send((new Symfony\Component\Mime\Email())->from(getenv('SENDER'))->to(getenv('RECIPIENT'))
    ->subject(getenv('SUBJECT'))->text(getenv('BODY')));
