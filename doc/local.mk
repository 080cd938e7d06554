# SPDX-License-Identifier: GPL-3.0-or-later
# manual pages and bash completion, printed by the program from its own tables: they cannot say anything else than the parser does.
# priori(1), priori-COMMAND(1), priori-FAMILY(7); a plural asks for a family (there is a command `phantom` as well)
pictures = doc/pictures/denoise-before.png doc/pictures/denoise-after.png doc/pictures/inpaint-before.png doc/pictures/inpaint-after.png \
  doc/pictures/deblur-before.png doc/pictures/deblur-after.png doc/pictures/upscale-before.png doc/pictures/upscale-after.png
docs = doc/demo.sh doc/demo-fbp.png doc/demo-image.png doc/pictures.sh $(pictures) bench/run bench/set12 bench/projector bench/quality bench/convergence.sh bench/deconvolution.sh
man_families = operators fidelities priors solvers stops filters phantoms noises
completiondir = $(datadir)/bash-completion/completions
doc/stamp: priori$(EXEEXT)
	$(AM_V_GEN)rm -rf doc/man && $(MKDIR_P) doc/man && ./priori list --man >doc/man/priori.1 && \
	./priori list --completion bash >doc/man/priori.bash && \
	for f in $(command_sources); do n=$${f##*/cmd_}; n=$${n%.c}; ./priori list --man "$$n" >"doc/man/priori-$$n.1" || exit 1; done && \
	for f in $(man_families); do n=$${f%s}; test "$$n" != fidelitie || n=fidelity; \
	  ./priori list --man "$$f" >"doc/man/priori-$$n.7" || exit 1; done && touch $@
all-local: doc/stamp
install-data-local: doc/stamp
	$(MKDIR_P) '$(DESTDIR)$(mandir)/man1' '$(DESTDIR)$(mandir)/man7' '$(DESTDIR)$(completiondir)'
	$(INSTALL_DATA) doc/man/*.1 '$(DESTDIR)$(mandir)/man1'
	$(INSTALL_DATA) doc/man/*.7 '$(DESTDIR)$(mandir)/man7'
	$(INSTALL_DATA) doc/man/priori.bash '$(DESTDIR)$(completiondir)/priori'
uninstall-local:
	rm -f '$(DESTDIR)$(mandir)/man1'/priori.1 '$(DESTDIR)$(mandir)/man1'/priori-*.1 '$(DESTDIR)$(mandir)'/man7/priori-*.7 '$(DESTDIR)$(completiondir)/priori'
clean-local:
	rm -rf doc/man doc/stamp
# the pictures of the README, made anew in the sources
pictures: priori$(EXEEXT)
	$(SHELL) '$(srcdir)/doc/pictures.sh' ./priori '$(srcdir)/doc/pictures'
.PHONY: pictures
